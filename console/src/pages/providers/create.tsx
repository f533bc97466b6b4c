import { type FormEvent, useState } from 'react'
import { answered, api } from '../../api/client'
import { Problem } from '../../api/problem'
import type { AuthProvider, AuthProviderKind, Body } from '../../api/types'
import { command, Equivalent, flag, flags } from '../../components/equivalent'
import { type GroupRole, groupRolesOf, groupRoleWords } from '../../forms/provider-draft'
import { SchemaFields } from '../../forms/schema'
import { type Schema, settingsOf, type Typed, withoutSecrets } from '../../forms/settings'
import { useChange } from '../../hooks/change'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { CodeBlock } from '../../ui/copy'
import { Field } from '../../ui/form'
import { Failure } from '../../ui/page'
import { Admission, Check, domainsOf } from './admission'
import { GroupRoles } from './group-roles'

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
  const [admission, setAdmission] = useState({
    creates: false,
    given: ['member'],
    domains: '',
    trusts: false,
  })
  const [groups, setGroups] = useState<GroupRole[]>([])
  const { creates, given, trusts } = admission
  const create = useChange(
    (body: Body<'auth_providers.create'>, key) =>
      answered(api.POST('/api/v1/auth-providers', { body, params: { header: { 'Idempotency-Key': key } } })),
    onDone,
  )
  const refused = create.error instanceof Problem ? create.error : undefined
  const schema = (kinds.find((one) => one.name === kind)?.settings ?? {}) as Schema
  const sent = settingsOf(schema, settings)
  const allowed = domainsOf(admission)
  const groupRoles = groupRolesOf(groups)
  const followed = groupRoleWords(groupRoles)
  const body = {
    name: name.trim(),
    kind,
    ...(shown.trim() && { display_name: shown.trim() }),
    ...(instance && { instance }),
    ...(!enabled && { enabled }),
    ...(sent && Object.keys(sent).length > 0 && { settings: sent }),
    ...(creates && { create_users: true, default_roles: given }),
    ...(allowed.length > 0 && { allowed_domains: allowed }),
    ...(followed.length > 0 && { group_roles: groupRoles }),
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
              setGroups([])
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
      <Admission of={admission} instance={instance} refused={refused} onChange={setAdmission}>
        <Check label={text.providers.enabled} on={enabled} onChange={setEnabled} />
      </Admission>
      <GroupRoles kind={kind} of={groups} refused={refused} onChange={setGroups} />
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
          followed.length > 0 && flags('group-role', followed),
          trusts && '--trust-email',
        )}
      >
        {body.settings && (
          <CodeBlock
            code={JSON.stringify(withoutSecrets(schema, body.settings), null, 2)}
            label="settings.json"
          />
        )}
      </Equivalent>
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
