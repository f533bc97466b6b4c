import { useQueryClient } from '@tanstack/react-query'
import { answered, api } from '../api/client'
import { compact, isJson } from '../api/json-text'
import { queries } from '../api/queries'
import type { Body, StoredFile } from '../api/types'
import { command, Equivalent, flag, flags, given, quoted } from '../components/equivalent'
import { useEdit } from '../hooks/edit'
import { inPath } from '../paths'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Field } from '../ui/form'
import { Failure } from '../ui/page'
import { listed } from './listed'
import { isMembers, mergePatch } from './merge-patch'
import { VISIBILITIES, type Visibility } from './namespace'

type Changes = Body<'files.update'>

interface Draft {
  description: string
  tags: string
  visibility: Visibility
  group: string
  metadata: string
}

function draftOf(file: StoredFile): Draft {
  return {
    description: file.description,
    tags: file.tags.join(', '),
    visibility: file.visibility,
    group: file.group ?? '',
    metadata: Object.keys(file.metadata).length > 0 ? JSON.stringify(file.metadata, null, 2) : '',
  }
}

function membersOf(text: string): Record<string, unknown> | undefined {
  if (text.trim() === '') return {}
  const read: unknown = isJson(text) ? JSON.parse(text) : undefined
  return isMembers(read) ? read : undefined
}

function whole(draft: Draft) {
  return {
    description: draft.description.trim(),
    tags: listed(draft.tags),
    visibility: draft.visibility,
    group: draft.group.trim() || null,
    metadata: membersOf(draft.metadata) ?? {},
  }
}

/** What differs; of metadata its members. Undefined while something typed cannot be sent. */
export function changed(draft: Draft, base: Draft): Changes | undefined {
  if (membersOf(draft.metadata) === undefined) return undefined
  return (mergePatch(whole(base), whole(draft)) ?? {}) as Changes
}

/** Changes what is said of a file, not what it holds. */
export function FileEdit({ file, onDone }: { file: StoredFile; onDone: () => void }) {
  const text = useText()
  const client = useQueryClient()
  const { base, draft, setDraft, patch, moved, refused, error, busy, submit } = useEdit({
    row: file,
    draftOf,
    patchOf: changed,
    reread: ({ collection, name }) => client.fetchQuery({ ...queries.file(collection, name), staleTime: 0 }),
    send: (body: Changes, { collection, name, revision }) =>
      answered(
        api.PATCH('/api/v1/collections/{collection}/files/{name}', {
          body,
          params: { path: { collection, name } },
          headers: { 'if-match': `"${revision}"` },
        }),
      ),
    onDone,
  })
  const body = patch ?? {}
  const unchanged = Object.keys(body).length === 0 ? text.agents.unchanged : undefined
  const bind = (field: keyof Draft) => ({
    value: draft[field],
    onChange: (event: { target: { value: string } }) => setDraft({ ...draft, [field]: event.target.value }),
  })
  return (
    <form className="form" onSubmit={submit}>
      <Field label={text.description} optional={text.optional} error={refused?.of('description')}>
        {(ids) => <textarea {...ids} {...bind('description')} rows={2} maxLength={4000} />}
      </Field>
      <Field
        label={text.files.tags}
        optional={text.optional}
        hint={text.files.tagsHint}
        error={refused?.of('tags')}
      >
        {(ids) => <input {...ids} {...bind('tags')} />}
      </Field>
      <Field label={text.files.visibility} error={refused?.of('visibility')}>
        {(ids) => (
          <select {...ids} {...bind('visibility')}>
            {VISIBILITIES.map((one) => (
              <option key={one} value={one}>
                {text.files.visibilities[one]}
              </option>
            ))}
          </select>
        )}
      </Field>
      {draft.visibility === 'group' && (
        <Field label={text.files.group} hint={text.files.groupHint} error={refused?.of('group')}>
          {(ids) => <input {...ids} {...bind('group')} className="mono" required spellCheck={false} />}
        </Field>
      )}
      <Field
        label={text.files.metadata}
        optional={text.optional}
        error={patch === undefined ? text.notJsonObject : refused?.of('metadata')}
      >
        {(ids) => <textarea {...ids} {...bind('metadata')} className="mono" rows={6} spellCheck={false} />}
      </Field>
      {moved && (
        <p className="once" role="alert">
          {text.agents.moved}
        </p>
      )}
      {error && <Failure error={error} />}
      <Equivalent
        method="PATCH"
        path={`/api/v1/collections/${base.collection}/files/${inPath(base.name)}`}
        revision={base.revision}
        body={body}
        cli={commandOf(base, body)}
      />
      <footer>
        <Button
          look="primary"
          type="submit"
          busy={busy}
          reason={patch === undefined ? text.notJsonObject : unchanged}
        >
          {text.agents.save}
        </Button>
      </footer>
    </form>
  )
}

/** No flag takes the tags or the group away. */
function commandOf({ collection, name, revision }: StoredFile, body: Changes): string | undefined {
  if (body.tags?.length === 0 || body.group === null) return undefined
  return command(
    'safeconduct files update',
    collection,
    quoted(name),
    given('description', body.description),
    flags('tag', body.tags),
    flag('visibility', body.visibility),
    flag('group', body.group),
    body.metadata ? flag('metadata', compact(JSON.stringify(body.metadata))) : undefined,
    flag('if-revision', revision),
  )
}
