import { type FormEvent, useState } from 'react'
import { answered, api } from '../../api/client'
import { Problem } from '../../api/problem'
import type { AuthProvider, AuthProviderKind, Body } from '../../api/types'
import { command, Equivalent, flag, flags } from '../../components/equivalent'
import { SchemaFields } from '../../forms/schema'
import { type Schema, settingsOf, type Typed } from '../../forms/settings'
import { useChange } from '../../hooks/change'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { CodeBlock } from '../../ui/copy'
import { Field } from '../../ui/form'
import { Failure } from '../../ui/page'

/** Roles that newcomers may get: those that are the same everywhere. */
const roles = ['member', 'viewer', 'auditor', 'curator', 'admin']

interface ProviderFormProps {
  kinds: AuthProviderKind[]
  /** For everybody on this server. */
  instance: boolean
  onDone: (provider: AuthProvider) => void
}

/** Any kind that the server knows, by what it says of its settings. */
export function ProviderForm({ kinds, instance, onDone }: ProviderFormProps) {
  const text = useText()
  const [kind, setKind] = useState(kinds[0]?.name ?? '')
  const [name, setName] = useState('')
  const [shown, setShown] = useState('')
  const [settings, setSettings] = useState<Typed>({})
  const [enabled, setEnabled] = useState(true)
  const [creates, setCreates] = useState(false)
  const [given, setGiven] = useState<string[]>(['member'])
  const [domains, setDomains] = useState('')
  const [trusts, setTrusts] = useState(false)
  const create = useChange(
    (body: Body<'auth_providers.create'>, key) =>
      answered(api.POST('/api/v1/auth-providers', { body, params: { header: { 'Idempotency-Key': key } } })),
    onDone,
  )
  const refused = create.error instanceof Problem ? create.error : undefined
  const schema = (kinds.find((one) => one.name === kind)?.settings ?? {}) as Schema
  const sent = settingsOf(schema, settings)
  const allowed = domains.split(/[\s,]+/).filter(Boolean)
  const body = {
    name: name.trim(),
    kind,
    ...(shown.trim() && { display_name: shown.trim() }),
    ...(instance && { instance }),
    ...(!enabled && { enabled }),
    ...(sent && Object.keys(sent).length > 0 && { settings: sent }),
    ...(creates && { create_users: true, default_roles: given }),
    ...(allowed.length > 0 && { allowed_domains: allowed }),
    ...(trusts && { trust_email: true }),
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    create.mutate(body as Body<'auth_providers.create'>)
  }
  return (
    <form className="form" onSubmit={submit}>
      <p className="muted">{instance ? text.providers.forInstance : text.providers.forOrganization}</p>
      <Field label={text.providers.kind} error={refused?.of('kind')}>
        {(ids) => (
          <select
            {...ids}
            value={kind}
            onChange={(event) => {
              setKind(event.target.value)
              setSettings({})
            }}
          >
            {kinds.map(({ name }) => (
              <option key={name} value={name}>
                {(text.providers.kinds as Record<string, string>)[name] ?? name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <div className="pair">
        <Field label={text.providers.name} hint={text.providers.nameHint} error={refused?.of('name')}>
          {(ids) => (
            <input
              {...ids}
              className="mono"
              value={name}
              required
              data-first
              pattern="[a-z][a-z0-9_\-]{0,62}"
              spellCheck={false}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field
          label={text.providers.shown}
          optional={text.optional}
          hint={text.providers.shownHint}
          error={refused?.of('display_name')}
        >
          {(ids) => <input {...ids} value={shown} onChange={(event) => setShown(event.target.value)} />}
        </Field>
      </div>
      <SchemaFields
        schema={schema}
        typed={settings}
        refused={(name) => refused?.in('settings', name)}
        onChange={setSettings}
      />
      <fieldset className="checks">
        <legend>{text.providers.whoComes}</legend>
        <Check label={text.providers.creates} on={creates} onChange={setCreates} />
        {creates &&
          roles.map((role) => (
            <Check
              key={role}
              inner
              label={role}
              on={given.includes(role)}
              onChange={(on) => setGiven(on ? [...given, role] : given.filter((one) => one !== role))}
            />
          ))}
        {instance && <Check label={text.providers.trusts} on={trusts} onChange={setTrusts} />}
        <Check label={text.providers.enabled} on={enabled} onChange={setEnabled} />
      </fieldset>
      <Field
        label={text.providers.domains}
        optional={text.optional}
        hint={text.providers.domainsHint}
        error={refused?.of('allowed_domains')}
      >
        {(ids) => (
          <input
            {...ids}
            className="mono"
            value={domains}
            spellCheck={false}
            onChange={(event) => setDomains(event.target.value)}
          />
        )}
      </Field>
      {create.error && <Failure error={create.error} />}
      <Equivalent
        method="POST"
        path="/api/v1/auth-providers"
        body={body}
        cli={command(
          'safeconduct providers create',
          body.name || '<name>',
          flag('kind', kind),
          flag('display-name', body.display_name),
          instance && '--instance',
          !enabled && '--disabled',
          body.settings && '--settings settings.json',
          creates && '--create-users',
          creates && given.length > 0 && flags('role', given),
          allowed.length > 0 && flags('domain', allowed),
          trusts && '--trust-email',
        )}
      />
      {body.settings && (
        <CodeBlock
          code={JSON.stringify(withoutSecrets(schema, body.settings), null, 2)}
          label="settings.json"
        />
      )}
      <footer>
        <Button
          type="submit"
          look="primary"
          busy={create.isPending}
          reason={sent === undefined ? text.notJsonObject : undefined}
        >
          {text.providers.create}
        </Button>
      </footer>
    </form>
  )
}

/** What is secret is typed into the file by whoever writes it. */
function withoutSecrets(schema: Schema, settings: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      name,
      schema.properties?.[name]?.writeOnly ? '…' : value,
    ]),
  )
}

interface CheckProps {
  label: string
  on: boolean
  inner?: boolean
  onChange: (on: boolean) => void
}

function Check({ label, on, inner, onChange }: CheckProps) {
  return (
    <label className={inner ? 'inner' : undefined}>
      <input type="checkbox" checked={on} onChange={(event) => onChange(event.target.checked)} />
      {label}
    </label>
  )
}
