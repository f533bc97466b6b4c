import { type FormEvent, useState } from 'react'
import { answered, api } from '../api/client'
import { compact, isJson } from '../api/json-text'
import { Problem } from '../api/problem'
import type { Body, StateNamespace } from '../api/types'
import { command, Equivalent, flag, quoted } from '../components/equivalent'
import { useChange } from '../hooks/change'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Field } from '../ui/form'
import { Failure } from '../ui/page'
import { mergePatch } from './merge-patch'

export type Visibility = StateNamespace['default_visibility']
export const VISIBILITIES: Visibility[] = ['private', 'group', 'organization']

interface Draft {
  name: string
  description: string
  default_visibility: Visibility
  schema: string
  strict: boolean
  secret: boolean
  ttl: string
  entries: string
  bytes: string
  history: string
}

const blank: Draft = {
  name: '',
  description: '',
  default_visibility: 'private',
  schema: '',
  strict: false,
  secret: false,
  ttl: '',
  entries: '10000',
  bytes: String(64 * 1024 * 1024),
  history: '0',
}

interface NamespaceFormProps {
  /** The one to change; its name and whether it is secret are fixed. */
  namespace?: StateNamespace
  onDone: (namespace: StateNamespace) => void
}

/** Makes a namespace, or changes the one given: only what differs is sent. */
export function NamespaceForm({ namespace, onDone }: NamespaceFormProps) {
  const text = useText()
  const base = namespace ? draftOf(namespace) : blank
  const [draft, setDraft] = useState(base)
  const fits = draft.schema.trim() === '' || isJson(draft.schema)
  const body = fits ? (namespace ? mergePatch(whole(base), whole(draft)) : made(draft)) : undefined
  const save = useChange((_: undefined, key) => {
    if (namespace === undefined) {
      return answered(
        api.POST('/api/v1/state', {
          body: body as Body<'state.create'>,
          params: { header: { 'Idempotency-Key': key } },
        }),
      )
    }
    return answered(
      api.PATCH('/api/v1/state/{namespace}', {
        body: body as Body<'state.update'>,
        params: { path: { namespace: namespace.id } },
        headers: { 'if-match': `"${namespace.revision}"` },
      }),
    )
  }, onDone)
  const refused = save.error instanceof Problem ? save.error : undefined
  const bind = (field: keyof Draft) => ({
    value: draft[field] as string,
    onChange: (event: { target: { value: string } }) => setDraft({ ...draft, [field]: event.target.value }),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (body) save.mutate(undefined)
  }
  const number = (field: keyof Draft, label: string, member: string, min: number, hint?: string) => (
    <Field label={label} hint={hint} error={refused?.of(member)}>
      {(ids) => <input {...ids} {...bind(field)} type="number" min={min} className="mono" />}
    </Field>
  )
  return (
    <form className="form" onSubmit={submit}>
      {!namespace && (
        <Field label={text.state.name} hint={text.state.nameHint} error={refused?.of('name')}>
          {(ids) => (
            <input {...ids} {...bind('name')} className="mono" required maxLength={63} spellCheck={false} />
          )}
        </Field>
      )}
      <Field label={text.description} optional={text.optional} error={refused?.of('description')}>
        {(ids) => <textarea {...ids} {...bind('description')} rows={2} maxLength={4000} />}
      </Field>
      <Field label={text.state.defaultVisibility} error={refused?.of('default_visibility')}>
        {(ids) => (
          <select {...ids} {...bind('default_visibility')}>
            {VISIBILITIES.map((visibility) => (
              <option key={visibility} value={visibility}>
                {text.state.visibilities[visibility]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field
        label={text.state.schema}
        optional={text.optional}
        hint={text.state.schemaHint}
        error={fits ? refused?.of('schema') : text.notJson}
      >
        {(ids) => <textarea {...ids} {...bind('schema')} className="mono" rows={4} spellCheck={false} />}
      </Field>
      <fieldset className="choices">
        <legend>{text.state.values}</legend>
        <label>
          <input
            type="checkbox"
            checked={draft.strict}
            onChange={(event) => setDraft({ ...draft, strict: event.target.checked })}
          />
          <span>
            {text.state.strict}
            <small className="muted">{text.state.strictHint}</small>
          </span>
        </label>
        {!namespace && (
          <label>
            <input
              type="checkbox"
              checked={draft.secret}
              onChange={(event) => setDraft({ ...draft, secret: event.target.checked })}
            />
            <span>
              {text.state.secret}
              <small className="muted">{text.state.secretHint}</small>
            </span>
          </label>
        )}
      </fieldset>
      <div className="pair">
        {number('ttl', text.state.ttl, 'ttl_seconds', 1, text.state.ttlHint)}
        {number('history', text.state.history, 'history_depth', 0)}
      </div>
      <div className="pair">
        {number('entries', text.state.quotaEntries, 'quota_entries', 1)}
        {number('bytes', text.state.quotaBytes, 'quota_bytes', 1)}
      </div>
      {save.error && <Failure error={save.error} />}
      <Same namespace={namespace} draft={draft} body={body ?? {}} />
      <footer>
        <Button
          look="primary"
          type="submit"
          busy={save.isPending}
          reason={fits ? (body ? undefined : text.orgs.unchanged) : text.notJson}
        >
          {namespace ? text.orgs.save : text.state.create}
        </Button>
      </footer>
    </form>
  )
}

interface SameProps {
  namespace: StateNamespace | undefined
  draft: Draft
  body: Record<string, unknown>
}

function Same({ namespace, draft, body }: SameProps) {
  const said = (name: string) => body[name] as string | number | null | undefined
  const flags = [
    flag('description', said('description')),
    flag('default-visibility', said('default_visibility')),
    'schema' in body && draft.schema.trim() !== '' && flag('schema', compact(draft.schema)),
    flag('ttl', said('ttl_seconds')),
    flag('history', said('history_depth')),
    flag('quota-entries', said('quota_entries')),
    flag('quota-bytes', said('quota_bytes')),
  ]
  if (namespace === undefined) {
    return (
      <Equivalent
        method="POST"
        path="/api/v1/state"
        body={body}
        cli={command(
          'safeconduct state create',
          quoted(draft.name.trim() || '<name>'),
          ...flags,
          draft.strict && '--strict',
          draft.secret && '--secret',
        )}
      />
    )
  }
  return (
    <Equivalent
      method="PATCH"
      path={`/api/v1/state/${namespace.name}`}
      revision={namespace.revision}
      body={body}
      cli={command(
        'safeconduct state update',
        namespace.name,
        ...flags,
        'strict' in body && `--strict ${draft.strict}`,
        flag('if-revision', namespace.revision),
      )}
    />
  )
}

function draftOf(namespace: StateNamespace): Draft {
  return {
    name: namespace.name,
    description: namespace.description,
    default_visibility: namespace.default_visibility,
    schema: namespace.schema ? JSON.stringify(namespace.schema, null, 2) : '',
    strict: namespace.strict,
    secret: namespace.secret,
    ttl: namespace.ttl_seconds ? String(namespace.ttl_seconds) : '',
    entries: String(namespace.quota_entries),
    bytes: String(namespace.quota_bytes),
    history: String(namespace.history_depth),
  }
}

/** What may be changed, as the API has it. A schema is replaced whole, so it is compared as text. */
function whole(draft: Draft): Record<string, unknown> {
  return {
    description: draft.description.trim(),
    default_visibility: draft.default_visibility,
    schema: draft.schema.trim() === '' ? null : JSON.parse(draft.schema),
    strict: draft.strict,
    ttl_seconds: numberOf(draft.ttl),
    quota_entries: numberOf(draft.entries),
    quota_bytes: numberOf(draft.bytes),
    history_depth: numberOf(draft.history),
  }
}

function made(draft: Draft): Record<string, unknown> {
  const given = Object.entries(whole(draft)).filter(([, value]) => value !== null && value !== '')
  return { name: draft.name.trim(), secret: draft.secret, ...Object.fromEntries(given) }
}

function numberOf(text: string): number | null {
  return text.trim() === '' ? null : Number(text)
}
