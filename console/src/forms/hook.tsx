import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { answered, api } from '../api/client'
import { Problem } from '../api/problem'
import { queries } from '../api/queries'
import type { Hook } from '../api/types'
import { Equivalent, flag } from '../components/equivalent'
import { useChange } from '../hooks/change'
import { useEdit } from '../hooks/edit'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Failure } from '../ui/page'
import { hookCommand } from './hook-command'
import { blank, type Changes, changed, draftOf, made, type New, takesOver, unfit } from './hook-draft'
import { HookFields } from './hook-fields'

/** Why a draft cannot be sent. */
function useLack(lacks: ReturnType<typeof unfit>): string | undefined {
  const text = useText()
  if (lacks === undefined) return undefined
  return { defaults: text.notJsonObject, routes: text.hooks.noList, methods: text.hooks.methods }[lacks]
}

/** What is told of a request never has its secret. */
function hidden<Sent extends object>(body: Sent): Sent {
  return 'secret' in body ? { ...body, secret: '…' } : body
}

/** Makes a hook; its secret is in the answer and nowhere else. */
export function HookForm({ onDone }: { onDone: (hook: Hook) => void }) {
  const text = useText()
  const [draft, setDraft] = useState(blank)
  const lacks = unfit(draft)
  const body: New | undefined = lacks ? undefined : made(draft)
  const create = useChange(
    (sent: New, key) =>
      answered(api.POST('/api/v1/hooks', { body: sent, params: { header: { 'Idempotency-Key': key } } })),
    onDone,
  )
  const refused = create.error instanceof Problem ? create.error : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (body) create.mutate(body)
  }
  return (
    <form className="form" onSubmit={submit}>
      <HookFields draft={draft} onChange={setDraft} refused={refused} />
      {create.error && <Failure error={create.error} />}
      {body && (
        <Equivalent
          method="POST"
          path="/api/v1/hooks"
          body={hidden(body)}
          cli={hookCommand('create', body.path || '<path>', body)}
        />
      )}
      <footer>
        <Button look="primary" type="submit" busy={create.isPending} reason={useLack(lacks)}>
          {text.hooks.create}
        </Button>
      </footer>
    </form>
  )
}

/** Changes a hook: only what differs is sent, and nobody's later change is overwritten. */
export function HookEdit({ hook, onDone }: { hook: Hook; onDone: (hook: Hook) => void }) {
  const text = useText()
  const client = useQueryClient()
  const me = useQuery(queries.me()).data
  const { base, draft, setDraft, patch, moved, refused, error, busy, submit } = useEdit({
    row: hook,
    draftOf,
    patchOf: changed,
    reread: ({ id }) => client.fetchQuery({ ...queries.hook(id), staleTime: 0 }),
    send: (body: Changes, { id, revision }) =>
      answered(
        api.PATCH('/api/v1/hooks/{hook}', {
          body,
          params: { path: { hook: id } },
          headers: { 'if-match': `"${revision}"` },
        }),
      ),
    onDone,
  })
  const body = patch ?? {}
  const lack = useLack(unfit(draft))
  const unchanged = Object.keys(body).length === 0 ? text.agents.unchanged : undefined
  return (
    <form className="form" onSubmit={submit}>
      <HookFields draft={draft} onChange={setDraft} refused={refused} there />
      {base.owner !== me?.principal.id && takesOver(body) && (
        <p className="once" role="status">
          {text.hooks.taking}
        </p>
      )}
      {moved && (
        <p className="once" role="alert">
          {text.agents.moved}
        </p>
      )}
      {error && <Failure error={error} />}
      <Equivalent
        method="PATCH"
        path={`/api/v1/hooks/${base.id}`}
        revision={base.revision}
        body={hidden(body)}
        cli={hookCommand('update', base.id, body as Partial<New>, flag('if-revision', base.revision))}
      />
      <footer>
        <Button look="primary" type="submit" busy={busy} reason={lack ?? unchanged}>
          {text.agents.save}
        </Button>
      </footer>
    </form>
  )
}
