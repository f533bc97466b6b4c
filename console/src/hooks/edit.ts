import { type FormEvent, useState } from 'react'
import { Problem } from '../api/problem'
import { rebased } from '../forms/rebased'
import { useChange } from './change'

interface EditOf<Row, Draft, Patch, Made> {
  row: Row
  /** A row as its form holds it. */
  draftOf: (row: Row) => Draft
  /** What differs; undefined while something typed cannot be sent. */
  patchOf: (draft: Draft, base: Draft) => Patch | undefined
  /** The row as it is now. */
  reread: (row: Row) => Promise<Row>
  /** Sends it, on condition that the row is still the one of this revision. */
  send: (patch: Patch, base: Row) => Promise<Made>
  /** What was typed, on top of a newer row; member by member if not said otherwise. */
  onto?: (draft: Draft, from: Draft, to: Draft) => Draft
  onDone: (made: Made) => void
}

/**
 * A form that changes a row: only what differs is sent, and only if nobody else changed the row since it was read. If somebody
 * did, the form goes on from what it is now, keeps what was typed, and `moved` says so.
 */
export function useEdit<Row, Draft extends object, Patch, Made>(edit: EditOf<Row, Draft, Patch, Made>) {
  const { draftOf, patchOf, reread, send, onto = rebased } = edit
  const [base, setBase] = useState(edit.row)
  const [draft, setDraft] = useState(() => draftOf(base))
  const [moved, setMoved] = useState(false)
  const patch = patchOf(draft, draftOf(base))
  const update = useChange((patch: Patch) => send(patch, base), edit.onDone)
  const follow = async () => {
    const now = await reread(base)
    setDraft(onto(draft, draftOf(base), draftOf(now)))
    setBase(now)
    setMoved(true)
    update.reset()
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setMoved(false)
    if (patch === undefined) return
    update.mutate(patch, {
      onError: (error) => {
        if (error instanceof Problem && error.code === 'stale_revision') void follow()
      },
    })
  }
  const refused = update.error instanceof Problem ? update.error : undefined
  return { base, draft, setDraft, patch, moved, refused, error: update.error, busy: update.isPending, submit }
}
