import { useQueryClient } from '@tanstack/react-query'
import { answered, api } from '../../api/client'
import { queries } from '../../api/queries'
import type { AuthProvider, Body } from '../../api/types'
import { command, Equivalent, flag, flags, given } from '../../components/equivalent'
import { changed, draftOf, followed, groupRoleWords } from '../../forms/provider-draft'
import { SchemaFields } from '../../forms/schema'
import { type Schema, withoutSecrets } from '../../forms/settings'
import { useEdit } from '../../hooks/edit'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { CodeBlock } from '../../ui/copy'
import { Field } from '../../ui/form'
import { Failure } from '../../ui/page'
import { Admission } from './admission'
import { GroupRoles } from './group-roles'

interface ProviderEditProps {
  of: AuthProvider
  /** Of the settings of its kind. */
  schema: Schema
  onDone: () => void
}

/** Changes a provider. */
export function ProviderEdit({ of: provider, schema, onDone }: ProviderEditProps) {
  const text = useText()
  const client = useQueryClient()
  const {
    base,
    draft,
    setDraft,
    patch: body,
    moved,
    refused,
    error,
    busy,
    submit,
  } = useEdit({
    row: provider,
    draftOf: (row: AuthProvider) => draftOf(row, schema),
    patchOf: (draft, base) => changed(draft, base, schema),
    reread: ({ id }) => client.fetchQuery({ ...queries.authProvider(id), staleTime: 0 }),
    send: (body: Body<'auth_providers.update'>, { id, revision }) =>
      answered(
        api.PATCH('/api/v1/auth-providers/{auth_provider}', {
          body,
          params: { path: { auth_provider: id } },
          headers: { 'if-match': `"${revision}"` },
        }),
      ),
    onto: followed,
    onDone,
  })
  const settings = body?.settings && withoutSecrets(schema, body.settings)
  const unchanged = body && Object.keys(body).length === 0
  return (
    <form className="form" onSubmit={submit}>
      <Field label={text.providers.shown} hint={text.providers.shownHint} error={refused?.of('display_name')}>
        {(ids) => (
          <input
            {...ids}
            value={draft.shown}
            required
            maxLength={100}
            onChange={(event) => setDraft({ ...draft, shown: event.target.value })}
          />
        )}
      </Field>
      <SchemaFields
        schema={keeping(schema)}
        typed={draft.settings}
        refused={(name) => refused?.in('settings', name)}
        kept={text.providers.secretKept}
        onChange={(settings) => setDraft({ ...draft, settings })}
      />
      <Admission
        of={draft}
        instance={base.instance}
        refused={refused}
        onChange={(admission) => setDraft({ ...draft, ...admission })}
      />
      <GroupRoles
        kind={base.kind}
        of={draft.groups}
        refused={refused}
        onChange={(groups) => setDraft({ ...draft, groups })}
      />
      {moved && (
        <p className="once" role="alert">
          {text.providers.moved}
        </p>
      )}
      {error && <Failure error={error} />}
      <Equivalent
        method="PATCH"
        path={`/api/v1/auth-providers/${base.id}`}
        revision={base.revision}
        body={settings ? { ...body, settings } : body}
        cli={body && commandOf(base.id, body)}
      >
        {settings && <CodeBlock code={JSON.stringify(settings, null, 2)} label="settings.json" />}
      </Equivalent>
      <footer>
        <Button
          type="submit"
          look="primary"
          busy={busy}
          reason={body === undefined ? text.notJsonObject : unchanged ? text.providers.unchanged : undefined}
        >
          {text.providers.save}
        </Button>
      </footer>
    </form>
  )
}

/** None where a list is emptied: to the command, a list that is not named stays as it is. */
function commandOf(id: string, body: Body<'auth_providers.update'>): string | undefined {
  const groups = body.group_roles && groupRoleWords(body.group_roles)
  const lists = [body.default_roles, body.allowed_domains, groups]
  if (lists.some((list) => list?.length === 0)) return undefined
  return command(
    `safeconduct providers update ${id}`,
    flag('display-name', body.display_name),
    body.settings ? '--settings settings.json' : undefined,
    given('create-users', body.create_users),
    flags('role', body.default_roles),
    flags('domain', body.allowed_domains),
    flags('group-role', groups),
    given('trust-email', body.trust_email),
  )
}

/** What is kept when it is left empty need not be typed. */
function keeping(schema: Schema): Schema {
  const required = schema.required?.filter((name) => !schema.properties?.[name]?.writeOnly)
  return required ? { ...schema, required } : schema
}
