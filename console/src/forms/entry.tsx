import { type FormEvent, useState } from 'react'
import { answered, api } from '../api/client'
import { compact, indented, isJson } from '../api/json-text'
import { Problem } from '../api/problem'
import type { Body, StateEntry, StateNamespace } from '../api/types'
import { command, Equivalent, flag, quoted } from '../components/equivalent'
import { useChange } from '../hooks/change'
import { useReason } from '../hooks/rights'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Editor } from '../ui/editor'
import { Field } from '../ui/form'
import { Failure } from '../ui/page'
import { VISIBILITIES, type Visibility } from './namespace'

interface Draft {
  key: string
  value: string
  description: string
  tags: string
  visibility: Visibility
  relevance: string
}

interface EntryFormProps {
  namespace: StateNamespace
  /** The one to put anew; its key is fixed, and nobody's later change is overwritten. */
  entry?: StateEntry
  onDone: (key: string) => void
}

/** Puts an entry. What was typed as its value is sent as it was typed, so that numbers keep their digits. */
export function EntryForm({ namespace, entry, onDone }: EntryFormProps) {
  const text = useText()
  const [draft, setDraft] = useState<Draft>(() => draftOf(namespace, entry))
  const valid = isJson(draft.value)
  const key = entry?.key ?? draft.key.trim()
  const sent = bodyOf(draft, entry)
  const save = useChange(
    () =>
      answered(
        api.PUT('/api/v1/state/{namespace}/entries/{key}', {
          body: {} as Body<'state.entries.put'>,
          bodySerializer: () => sent,
          params: { path: { namespace: namespace.name, key } },
          headers: {
            'content-type': 'application/json',
            ...(entry ? { 'if-match': `"${entry.revision}"` } : { 'if-none-match': '*' }),
          },
        }),
      ),
    () => onDone(key),
  )
  const mayWrite = useReason('state:write', {
    of: entry ? { selector: selectorOf(namespace.name, entry.key), owner: entry.owner } : {},
  })
  const refused = save.error instanceof Problem ? save.error : undefined
  const bind = (field: keyof Draft) => ({
    value: draft[field],
    onChange: (event: { target: { value: string } }) => setDraft({ ...draft, [field]: event.target.value }),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (valid) save.mutate(undefined)
  }
  return (
    <form className="form" onSubmit={submit}>
      {!entry && (
        <Field label={text.state.key} hint={text.state.keyHint} error={refused?.of('key')}>
          {(ids) => <input {...ids} {...bind('key')} className="mono" required spellCheck={false} />}
        </Field>
      )}
      <Editor
        label={text.state.value}
        value={draft.value}
        onChange={(value) => setDraft({ ...draft, value })}
        rows={12}
      />
      <Field label={text.description} optional={text.optional} error={refused?.of('description')}>
        {(ids) => <input {...ids} {...bind('description')} maxLength={4000} />}
      </Field>
      <div className="pair">
        <Field label={text.state.visibility} error={refused?.of('visibility')}>
          {(ids) => (
            <select {...ids} {...bind('visibility')}>
              {VISIBILITIES.filter((one) => one !== 'group' || entry?.group).map((visibility) => (
                <option key={visibility} value={visibility}>
                  {text.state.visibilities[visibility]}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field
          label={text.state.relevance}
          hint={text.state.relevanceHint}
          error={refused?.of('relevance_score')}
        >
          {(ids) => (
            <input
              {...ids}
              {...bind('relevance')}
              type="number"
              min={0}
              max={1}
              step="any"
              className="mono"
            />
          )}
        </Field>
      </div>
      <Field
        label={text.state.tags}
        optional={text.optional}
        hint={text.state.tagsHint}
        error={refused?.of('tags')}
      >
        {(ids) => <input {...ids} {...bind('tags')} />}
      </Field>
      {save.error && <Failure error={save.error} />}
      <Equivalent
        method="PUT"
        path={`/api/v1/state/${namespace.name}/entries/${key.split('/').map(encodeURIComponent).join('/')}`}
        sent={sent}
        {...(entry && { revision: entry.revision })}
        cli={command(
          'safeconduct state put',
          namespace.name,
          quoted(key || '<key>'),
          quoted(valid ? compact(draft.value) : draft.value),
          flag('description', draft.description.trim()),
          ...tagsOf(draft).map((tag) => flag('tag', tag)),
          flag('visibility', draft.visibility),
          flag('relevance', draft.relevance === '0' ? '' : draft.relevance),
          flag('expires-at', entry?.expires_at),
          flag('group', entry?.group),
          entry ? flag('if-revision', entry.revision) : '--if-absent',
        )}
      />
      <footer>
        <Button look="primary" type="submit" busy={save.isPending} reason={valid ? mayWrite : text.notJson}>
          {entry ? text.orgs.save : text.state.put}
        </Button>
      </footer>
    </form>
  )
}

/** The path of an entry as permissions write it. */
export function selectorOf(namespace: string, key: string): string {
  const encoded = (segment: string) =>
    encodeURIComponent(segment).replace(
      /[!'()*]/g,
      (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
    )
  return [namespace, ...key.split('/').map(encoded)].join('/')
}

function draftOf(namespace: StateNamespace, entry: StateEntry | undefined): Draft {
  return {
    key: '',
    value: entry?.value ? indented(entry.value) : '{}',
    description: entry?.description ?? '',
    tags: entry?.tags.join(', ') ?? '',
    visibility: entry?.visibility ?? namespace.default_visibility,
    relevance: String(entry?.relevance_score ?? 0),
  }
}

function tagsOf(draft: Draft): string[] {
  return draft.tags
    .split(',')
    .map((tag) => tag.trim())
    .filter(Boolean)
}

/** A put replaces the whole entry, so what the form does not show is said again. */
function bodyOf(draft: Draft, entry: StateEntry | undefined): string {
  const rest = {
    description: draft.description.trim(),
    tags: tagsOf(draft),
    visibility: draft.visibility,
    relevance_score: Number(draft.relevance),
    ...(entry?.group && { group: entry.group }),
    ...(entry?.expires_at && { expires_at: entry.expires_at }),
  }
  return `{"value":${isJson(draft.value) ? compact(draft.value) : draft.value},${JSON.stringify(rest).slice(1)}`
}
