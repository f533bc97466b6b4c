import { useInfiniteQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { answered, api } from '../api/client'
import { Problem } from '../api/problem'
import { queries } from '../api/queries'
import type { Grant } from '../api/types'
import { Confirm } from '../components/confirm'
import { command, Equivalent, flag } from '../components/equivalent'
import { type Principal, PrincipalField } from '../components/principal-field'
import { useChange } from '../hooks/change'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Field } from '../ui/form'
import { Failure } from '../ui/page'

interface GrantFormProps {
  /** To whom; asked for where the page does not say it. */
  to?: { id: string }
  /** The role, where the page is about one. */
  role?: string
  onDone: () => void
}

/** Gives a role or one permission. Nobody gives what they do not hold. */
export function GrantForm({ to, role: given, onDone }: GrantFormProps) {
  const text = useText()
  const roles = useInfiniteQuery(queries.roles()).data?.pages.flatMap((page) => page.items) ?? []
  const [kind, setKind] = useState<'role' | 'permission'>('role')
  const [role, setRole] = useState(given ?? '')
  const [permission, setPermission] = useState('')
  const [chosen, setChosen] = useState<Principal>()
  const principal = to?.id ?? chosen?.id ?? ''
  const body = { principal, ...(kind === 'role' ? { role } : { permission: permission.trim() }) }
  const give = useChange(
    (_: undefined, key) =>
      answered(api.POST('/api/v1/grants', { body, params: { header: { 'Idempotency-Key': key } } })),
    onDone,
  )
  const refused = give.error instanceof Problem ? give.error : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    give.mutate(undefined)
  }
  return (
    <form className="form" onSubmit={submit}>
      <p className="muted">{text.access.giveDetail}</p>
      {!to && (
        <PrincipalField
          label={text.access.principal}
          kinds={['user', 'agent', 'group']}
          hint={text.access.principalHint}
          chosen={chosen}
          onChoose={setChosen}
          error={refused?.of('principal')}
        />
      )}
      {!given && (
        <fieldset className="choices">
          <legend>{text.access.what}</legend>
          {(['role', 'permission'] as const).map((id) => (
            <label key={id}>
              <input type="radio" name="what" checked={kind === id} onChange={() => setKind(id)} />
              <span>{text.access[id]}</span>
            </label>
          ))}
        </fieldset>
      )}
      {!given && kind === 'role' && (
        <Field label={text.access.role} error={refused?.of('role')}>
          {(ids) => (
            <select {...ids} required value={role} onChange={(event) => setRole(event.target.value)}>
              <option value="" />
              {roles.map(({ name, description }) => (
                <option key={name} value={name} title={description}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      {kind === 'permission' && (
        <Field
          label={text.access.permission}
          hint={text.access.permissionHint}
          error={refused?.of('permission')}
        >
          {(ids) => (
            <input
              {...ids}
              className="mono"
              required
              spellCheck={false}
              placeholder="functions/ops/*:execute:all"
              value={permission}
              onChange={(event) => setPermission(event.target.value)}
            />
          )}
        </Field>
      )}
      {give.error && <Failure error={give.error} />}
      <Equivalent
        method="POST"
        path="/api/v1/grants"
        body={body}
        cli={command(
          'safeconduct grants create',
          principal || '<id>',
          kind === 'role' && flag('role', role),
          kind === 'permission' && flag('permission', permission.trim()),
        )}
      />
      <footer>
        <Button
          look="primary"
          type="submit"
          busy={give.isPending}
          reason={principal === '' ? text.access.choosePrincipal : undefined}
        >
          {text.access.give}
        </Button>
      </footer>
    </form>
  )
}

/** Takes a role or a permission away; in force on the next request. */
export function GrantTaking({ of: grant, onClose }: { of: Grant; onClose: () => void }) {
  const text = useText()
  const change = useChange(
    () => answered(api.DELETE('/api/v1/grants/{grant}', { params: { path: { grant: grant.id } } })),
    onClose,
  )
  return (
    <Confirm
      title={text.access.takeTitle(grant.role ?? grant.permission ?? '')}
      detail={text.access.takeDetail}
      act={text.access.take}
      change={change}
      same={{
        method: 'DELETE',
        path: `/api/v1/grants/${grant.id}`,
        cli: `safeconduct grants delete ${grant.id}`,
      }}
      onClose={onClose}
    />
  )
}
