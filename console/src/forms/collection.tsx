import { type FormEvent, useState } from 'react'
import { answered, api } from '../api/client'
import { compact, isJson } from '../api/json-text'
import { Problem } from '../api/problem'
import type { Body, FileCollection } from '../api/types'
import { command, Equivalent, flag, flags, quoted } from '../components/equivalent'
import { useChange } from '../hooks/change'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Field } from '../ui/form'
import { Failure } from '../ui/page'
import { listed } from './listed'
import { mergePatch } from './merge-patch'
import { VISIBILITIES, type Visibility } from './namespace'

interface Draft {
  name: string
  description: string
  default_visibility: Visibility
  schema: string
  strict: boolean
  files: string
  bytes: string
  versions: string
  largest: string
  types: string
}

const blank: Draft = {
  name: '',
  description: '',
  default_visibility: 'private',
  schema: '',
  strict: false,
  files: '10000',
  bytes: String(1024 * 1024 * 1024),
  versions: '10',
  largest: '',
  types: '',
}

interface CollectionFormProps {
  /** The one to change; its name is fixed. */
  collection?: FileCollection
  onDone: (collection: FileCollection) => void
}

/** Makes a collection, or changes the one given: only what differs is sent. */
export function CollectionForm({ collection, onDone }: CollectionFormProps) {
  const text = useText()
  const base = collection ? draftOf(collection) : blank
  const [draft, setDraft] = useState(base)
  const fits = draft.schema.trim() === '' || isJson(draft.schema)
  const body = fits ? (collection ? mergePatch(whole(base), whole(draft)) : made(draft)) : undefined
  const save = useChange((_: undefined, key) => {
    if (collection === undefined) {
      return answered(
        api.POST('/api/v1/collections', {
          body: body as Body<'collections.create'>,
          params: { header: { 'Idempotency-Key': key } },
        }),
      )
    }
    return answered(
      api.PATCH('/api/v1/collections/{collection}', {
        body: body as Body<'collections.update'>,
        params: { path: { collection: collection.id } },
        headers: { 'if-match': `"${collection.revision}"` },
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
  const number = (field: keyof Draft, label: string, member: string, hint?: string) => (
    <Field label={label} hint={hint} error={refused?.of(member)}>
      {(ids) => <input {...ids} {...bind(field)} type="number" min={1} className="mono" />}
    </Field>
  )
  return (
    <form className="form" onSubmit={submit}>
      {!collection && (
        <Field label={text.files.name} hint={text.files.nameHint} error={refused?.of('name')}>
          {(ids) => (
            <input {...ids} {...bind('name')} className="mono" required maxLength={63} spellCheck={false} />
          )}
        </Field>
      )}
      <Field label={text.description} optional={text.optional} error={refused?.of('description')}>
        {(ids) => <textarea {...ids} {...bind('description')} rows={2} maxLength={4000} />}
      </Field>
      <Field label={text.files.defaultVisibility} error={refused?.of('default_visibility')}>
        {(ids) => (
          <select {...ids} {...bind('default_visibility')}>
            {VISIBILITIES.map((visibility) => (
              <option key={visibility} value={visibility}>
                {text.files.visibilities[visibility]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field
        label={text.files.schema}
        optional={text.optional}
        hint={text.files.schemaHint}
        error={fits ? refused?.of('schema') : text.notJson}
      >
        {(ids) => <textarea {...ids} {...bind('schema')} className="mono" rows={4} spellCheck={false} />}
      </Field>
      <fieldset className="choices">
        <legend>{text.files.metadata}</legend>
        <label>
          <input
            type="checkbox"
            checked={draft.strict}
            onChange={(event) => setDraft({ ...draft, strict: event.target.checked })}
          />
          <span>
            {text.files.strict}
            <small className="muted">{text.files.strictHint}</small>
          </span>
        </label>
      </fieldset>
      <div className="pair">
        {number('files', text.files.quotaFiles, 'quota_files')}
        {number('bytes', text.files.quotaBytes, 'quota_bytes')}
      </div>
      <div className="pair">
        {number('versions', text.files.versionsKept, 'versions_kept')}
        {number('largest', text.files.largest, 'max_file_bytes', text.files.largestHint)}
      </div>
      <Field
        label={text.files.types}
        optional={text.optional}
        hint={text.files.typesHint}
        error={refused?.of('content_types')}
      >
        {(ids) => <input {...ids} {...bind('types')} className="mono" spellCheck={false} />}
      </Field>
      {save.error && <Failure error={save.error} />}
      <Same collection={collection} draft={draft} body={body ?? {}} />
      <footer>
        <Button
          look="primary"
          type="submit"
          busy={save.isPending}
          reason={fits ? (body ? undefined : text.orgs.unchanged) : text.notJson}
        >
          {collection ? text.orgs.save : text.files.create}
        </Button>
      </footer>
    </form>
  )
}

interface SameProps {
  collection: FileCollection | undefined
  draft: Draft
  body: Record<string, unknown>
}

function Same({ collection, draft, body }: SameProps) {
  const said = (name: string) => body[name] as string | number | null | undefined
  const told = [
    flag('description', said('description')),
    flag('default-visibility', said('default_visibility')),
    'schema' in body && draft.schema.trim() !== '' && flag('schema', compact(draft.schema)),
    flag('quota-files', said('quota_files')),
    flag('quota-bytes', said('quota_bytes')),
    flag('versions', said('versions_kept')),
    flag('max-file-bytes', said('max_file_bytes')),
    'content_types' in body && draft.types.trim() !== '' && flags('content-type', listed(draft.types)),
  ]
  if (collection === undefined) {
    return (
      <Equivalent
        method="POST"
        path="/api/v1/collections"
        body={body}
        cli={command(
          'safeconduct files collections create',
          quoted(draft.name.trim() || '<name>'),
          ...told,
          draft.strict && '--strict',
        )}
      />
    )
  }
  return (
    <Equivalent
      method="PATCH"
      path={`/api/v1/collections/${collection.name}`}
      revision={collection.revision}
      body={body}
      cli={command(
        'safeconduct files collections update',
        collection.name,
        ...told,
        'strict' in body && `--strict ${draft.strict}`,
        flag('if-revision', collection.revision),
      )}
    />
  )
}

function draftOf(collection: FileCollection): Draft {
  return {
    name: collection.name,
    description: collection.description,
    default_visibility: collection.default_visibility,
    schema: collection.schema ? JSON.stringify(collection.schema, null, 2) : '',
    strict: collection.strict,
    files: String(collection.quota_files),
    bytes: String(collection.quota_bytes),
    versions: String(collection.versions_kept),
    largest: collection.max_file_bytes ? String(collection.max_file_bytes) : '',
    types: collection.content_types.join(', '),
  }
}

/** What may be changed, as the API has it. A schema is replaced whole, so it is compared as text. */
function whole(draft: Draft): Record<string, unknown> {
  return {
    description: draft.description.trim(),
    default_visibility: draft.default_visibility,
    schema: draft.schema.trim() === '' ? null : JSON.parse(draft.schema),
    strict: draft.strict,
    quota_files: numberOf(draft.files),
    quota_bytes: numberOf(draft.bytes),
    versions_kept: numberOf(draft.versions),
    max_file_bytes: numberOf(draft.largest),
    content_types: listed(draft.types),
  }
}

function made(draft: Draft): Record<string, unknown> {
  const given = Object.entries(whole(draft)).filter(([, value]) => value !== null && value !== '')
  return { name: draft.name.trim(), ...Object.fromEntries(given) }
}

function numberOf(text: string): number | null {
  return text.trim() === '' ? null : Number(text)
}
