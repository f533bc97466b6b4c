import { type FormEvent, useState } from 'react'
import { answered, api } from '../api/client'
import { Problem } from '../api/problem'
import type { Member } from '../api/types'
import { command, Equivalent, flag, quoted } from '../components/equivalent'
import { RoleChoices } from '../components/role-choices'
import { useChange } from '../hooks/change'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Failure } from '../ui/page'

interface MemberRolesProps {
  member: Member
  onDone: () => void
}

/** Exactly these roles from now on; whoever gives or takes one must hold it. */
export function MemberRoles({ member, onDone }: MemberRolesProps) {
  const text = useText()
  const [roles, setRoles] = useState(member.roles)
  const same = roles.length === member.roles.length && roles.every((role) => member.roles.includes(role))
  const update = useChange(
    (_: undefined) =>
      answered(
        api.PATCH('/api/v1/members/{user}', {
          body: { roles },
          params: { path: { user: member.user } },
          headers: { 'if-match': `"${member.revision}"` },
        }),
      ),
    onDone,
  )
  const refused = update.error instanceof Problem ? update.error : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    update.mutate(undefined)
  }
  return (
    <form className="form" onSubmit={submit}>
      <p className="muted">{text.people.rolesDetail}</p>
      <RoleChoices
        legend={text.agents.roles}
        chosen={roles}
        onChange={setRoles}
        error={refused?.of('roles')}
      />
      {update.error && <Failure error={update.error} />}
      <Equivalent
        method="PATCH"
        path={`/api/v1/members/${member.user}`}
        revision={member.revision}
        body={{ roles }}
        cli={command(
          'safeconduct members roles',
          member.user,
          ...roles.map(quoted),
          flag('if-revision', member.revision),
        )}
      />
      <footer>
        <Button
          look="primary"
          type="submit"
          busy={update.isPending}
          reason={same ? text.orgs.unchanged : undefined}
        >
          {text.orgs.save}
        </Button>
      </footer>
    </form>
  )
}
