import { type FormEvent, useState } from 'react'
import { answered, api } from '../api/client'
import { Problem } from '../api/problem'
import type { Invited } from '../api/types'
import { command, Equivalent, quoted } from '../components/equivalent'
import { RoleChoices } from '../components/role-choices'
import { useChange } from '../hooks/change'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Field } from '../ui/form'
import { Failure } from '../ui/page'

/** Invites an address; what the invitation gives, its inviter must hold. */
export function InvitationForm({ onDone }: { onDone: (invited: Invited) => void }) {
  const text = useText()
  const [email, setEmail] = useState('')
  const [roles, setRoles] = useState(['member'])
  const body = { email: email.trim(), roles }
  const invite = useChange(
    (_: undefined, key) =>
      answered(api.POST('/api/v1/invitations', { body, params: { header: { 'Idempotency-Key': key } } })),
    onDone,
  )
  const refused = invite.error instanceof Problem ? invite.error : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    invite.mutate(undefined)
  }
  return (
    <form className="form" onSubmit={submit}>
      <Field label={text.people.email} hint={text.people.emailHint} error={refused?.of('email')}>
        {(ids) => (
          <input
            {...ids}
            type="email"
            required
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
        )}
      </Field>
      <RoleChoices
        legend={text.agents.roles}
        chosen={roles}
        onChange={setRoles}
        error={refused?.of('roles')}
      />
      {invite.error && <Failure error={invite.error} />}
      <Equivalent
        method="POST"
        path="/api/v1/invitations"
        body={body}
        cli={command(
          'safeconduct invitations create',
          quoted(body.email || '<e-mail>'),
          ...roles.map((role) => `--role ${quoted(role)}`),
        )}
      />
      <footer>
        <Button look="primary" type="submit" busy={invite.isPending}>
          {text.people.invite}
        </Button>
      </footer>
    </form>
  )
}
