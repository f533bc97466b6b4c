import { type FormEvent, useState } from 'react'
import { answered, api } from '../api/client'
import { Problem } from '../api/problem'
import type { IssuedApiKey } from '../api/types'
import { command, Equivalent, flag, flags, quoted } from '../components/equivalent'
import { PermissionEditor } from '../components/permission-editor'
import { type Principal, PrincipalField } from '../components/principal-field'
import { useChange } from '../hooks/change'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Field } from '../ui/form'
import { Failure } from '../ui/page'

const DAY = 86_400_000

/** Lifetimes to choose from, in days; the server allows a year. */
const lifetimes = ['7', '30', '90', '365', '']

/** A key for oneself or for an agent: it never does more than its owner may at that moment. */
export function ApiKeyForm({ onDone }: { onDone: (key: IssuedApiKey) => void }) {
  const text = useText()
  const [name, setName] = useState('')
  const [owner, setOwner] = useState<Principal>()
  const [permissions, setPermissions] = useState<string[]>([])
  const [end, setEnd] = useState(() => endOf('90'))
  const [days, setDays] = useState('90')
  const [ips, setIps] = useState('')
  const allowed_ips = ips.split(/[\s,]+/).filter(Boolean)
  const body = {
    name: name.trim(),
    permissions,
    ...(owner && { owner: owner.id }),
    ...(end && { expires_at: end }),
    ...(allowed_ips.length > 0 && { allowed_ips }),
  }
  const create = useChange(
    (_: undefined, key) =>
      answered(api.POST('/api/v1/api-keys', { body, params: { header: { 'Idempotency-Key': key } } })),
    onDone,
  )
  const refused = create.error instanceof Problem ? create.error : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    create.mutate(undefined)
  }
  return (
    <form className="form" onSubmit={submit}>
      <Field label={text.apiKey.name} hint={text.apiKey.nameHint} error={refused?.of('name')}>
        {(ids) => (
          <input
            {...ids}
            required
            maxLength={100}
            data-first
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      <PrincipalField
        label={text.apiKey.owner}
        kinds={['agent']}
        optional={text.optional}
        hint={text.apiKey.ownerHint}
        chosen={owner}
        onChoose={setOwner}
        error={refused?.of('owner')}
      />
      <div className="pair">
        <Field label={text.credentials.lifetime} error={refused?.of('expires_at')}>
          {(ids) => (
            <select
              {...ids}
              value={days}
              onChange={(event) => {
                setDays(event.target.value)
                setEnd(endOf(event.target.value))
              }}
            >
              {lifetimes.map((days) => (
                <option key={days} value={days}>
                  {days ? text.days(Number(days)) : text.credentials.forever}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field
          label={text.apiKey.ips}
          optional={text.optional}
          hint={text.apiKey.ipsHint}
          error={refused?.of('allowed_ips')}
        >
          {(ids) => (
            <input
              {...ids}
              className="mono"
              spellCheck={false}
              placeholder="10.0.0.0/8"
              value={ips}
              onChange={(event) => setIps(event.target.value)}
            />
          )}
        </Field>
      </div>
      <p className="muted hint">{text.apiKey.permissionsHint}</p>
      <PermissionEditor
        value={permissions}
        onChange={setPermissions}
        reach=""
        error={refused?.of('permissions')}
      />
      {create.error && <Failure error={create.error} />}
      <Equivalent
        method="POST"
        path="/api/v1/api-keys"
        body={body}
        cli={command(
          'safeconduct apikeys create',
          quoted(body.name || '<name>'),
          permissions.length > 0 && flags('permission', permissions),
          flag('owner', owner?.id),
          flag('expires-at', end),
          allowed_ips.length > 0 && flags('ip', allowed_ips),
        )}
      />
      <footer>
        <Button
          look="primary"
          type="submit"
          busy={create.isPending}
          reason={permissions.length === 0 ? text.apiKey.choosePermissions : undefined}
        >
          {text.apiKey.create}
        </Button>
      </footer>
    </form>
  )
}

function endOf(days: string): string | undefined {
  return days === '' ? undefined : new Date(Date.now() + Number(days) * DAY).toISOString()
}
