import { type FormEvent, useState } from 'react'
import { answered, api } from '../api/client'
import { Problem } from '../api/problem'
import type { User } from '../api/types'
import { command, Equivalent, flag, quoted } from '../components/equivalent'
import { RoleChoices } from '../components/role-choices'
import { useChange } from '../hooks/change'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Field } from '../ui/form'
import { Failure } from '../ui/page'

/** Creates a person, which an organization may do inside the domains that it has proved. */
export function PersonForm({ onDone }: { onDone: (user: User) => void }) {
  const text = useText()
  const [draft, setDraft] = useState({ email: '', display_name: '', username: '' })
  const [roles, setRoles] = useState(['member'])
  const username = draft.username.trim()
  const body = {
    email: draft.email.trim(),
    display_name: draft.display_name.trim(),
    ...(username && { username }),
    roles,
  }
  const create = useChange(
    (_: undefined, key) =>
      answered(api.POST('/api/v1/users', { body, params: { header: { 'Idempotency-Key': key } } })),
    onDone,
  )
  const refused = create.error instanceof Problem ? create.error : undefined
  const bind = (field: keyof typeof draft) => ({
    value: draft[field],
    onChange: (event: { target: { value: string } }) => setDraft({ ...draft, [field]: event.target.value }),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    create.mutate(undefined)
  }
  return (
    <form className="form" onSubmit={submit}>
      <p className="muted">{text.people.createDetail}</p>
      <Field label={text.people.email} error={refused?.of('email')}>
        {(ids) => <input {...ids} {...bind('email')} type="email" required />}
      </Field>
      <Field label={text.agents.displayName} error={refused?.of('display_name')}>
        {(ids) => <input {...ids} {...bind('display_name')} required maxLength={200} />}
      </Field>
      <Field
        label={text.people.username}
        optional={text.optional}
        hint={text.people.usernameHint}
        error={refused?.of('username')}
      >
        {(ids) => <input {...ids} {...bind('username')} className="mono" spellCheck={false} />}
      </Field>
      <RoleChoices
        legend={text.agents.roles}
        chosen={roles}
        onChange={setRoles}
        error={refused?.of('roles')}
      />
      {create.error && <Failure error={create.error} />}
      <Equivalent
        method="POST"
        path="/api/v1/users"
        body={body}
        cli={command(
          'safeconduct users create',
          quoted(body.email || '<e-mail>'),
          flag('display-name', body.display_name || '<name>'),
          flag('username', username),
          ...roles.map((role) => `--role ${quoted(role)}`),
        )}
      />
      <footer>
        <Button look="primary" type="submit" busy={create.isPending}>
          {text.people.create}
        </Button>
      </footer>
    </form>
  )
}
