import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import { answered, api } from '../api/client'
import { Problem } from '../api/problem'
import { queries } from '../api/queries'
import type { Body, Schedule } from '../api/types'
import { Equivalent } from '../components/equivalent'
import { Chip } from '../components/identity'
import { TickList } from '../components/timing'
import { useChange } from '../hooks/change'
import { useEdit } from '../hooks/edit'
import { useReason } from '../hooks/rights'
import { useSettled } from '../hooks/settled'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Failure, Section } from '../ui/page'
import { cliOf } from './schedule-command'
import {
  blank,
  changed,
  type Draft,
  draftOf,
  lacking,
  made,
  previewOf,
  sentOf,
  type Told,
  takesOver,
} from './schedule-draft'
import { ScheduleFields } from './schedule-fields'

const json = { 'content-type': 'application/json' }

/** Makes a schedule: what it does on the left, when that would be and for whom on the right. */
export function NewSchedule({ onDone, onCancel }: { onDone: (id: string) => void; onCancel: () => void }) {
  const text = useText()
  const me = useQuery(queries.me()).data
  const [draft, setDraft] = useState(blank)
  const body = made(draft)
  const create = useChange(
    (sent: string, key) =>
      answered(
        api.POST('/api/v1/schedules', {
          body: {} as Body<'schedules.create'>,
          bodySerializer: () => sent,
          params: { header: { 'Idempotency-Key': key } },
          headers: json,
        }),
      ),
    (schedule) => onDone(schedule.id),
  )
  const submit = (event: FormEvent) => {
    event.preventDefault()
    create.mutate(sentOf(body))
  }
  return (
    <Form
      draft={draft}
      onChange={setDraft}
      error={create.error}
      onSubmit={submit}
      authority={
        <>
          {me && <Chip of={me.principal} />}
          <p className="muted">{text.schedules.forYou}</p>
        </>
      }
      further={
        <fieldset className="choices">
          <label>
            <input
              type="checkbox"
              checked={draft.paused}
              onChange={(event) => setDraft({ ...draft, paused: event.target.checked })}
            />
            <span>
              {text.schedules.paused}
              <small className="muted">{text.schedules.pausedHint}</small>
            </span>
          </label>
        </fieldset>
      }
      same={
        <Equivalent method="POST" path="/api/v1/schedules" sent={sentOf(body)} cli={cliOf(body, undefined)} />
      }
      act={{ busy: create.isPending, words: text.schedules.create, reason: useReason('schedules:create') }}
      onCancel={onCancel}
    />
  )
}

/** Changes a schedule: only what differs is sent, and nobody's later change is overwritten. */
export function EditSchedule({ schedule, onDone }: { schedule: Schedule; onDone: () => void }) {
  const text = useText()
  const client = useQueryClient()
  const me = useQuery(queries.me()).data
  const { base, draft, setDraft, patch, moved, error, busy, submit } = useEdit({
    row: schedule,
    draftOf,
    patchOf: (draft: Draft, base: Draft): Told | undefined =>
      lacking(draft) ? undefined : changed(draft, base),
    reread: ({ id }) => client.fetchQuery({ ...queries.schedule(id), staleTime: 0 }),
    send: (body: Told, { id, revision }) =>
      answered(
        api.PATCH('/api/v1/schedules/{schedule}', {
          body: {} as Body<'schedules.update'>,
          bodySerializer: () => sentOf(body),
          params: { path: { schedule: id } },
          headers: { ...json, 'if-match': `"${revision}"` },
        }),
      ),
    onDone,
  })
  const body = patch ?? {}
  const mine = base.owner === me?.principal.id
  const mayUpdate = useReason('schedules:update', { of: { selector: base.id, owner: base.owner } })
  const unchanged = Object.keys(body).length === 0 ? text.agents.unchanged : undefined
  return (
    <Form
      draft={draft}
      onChange={setDraft}
      error={error}
      onSubmit={submit}
      fnName={base.function_name.replace('/', ':')}
      {...(base.starts_at ? {} : { anchor: base.created_at })}
      authority={
        <>
          <Chip of={{ kind: base.owner.startsWith('agt_') ? 'agent' : 'user', id: base.owner }} />
          <p className="muted">{mine ? text.schedules.forYou : text.schedules.forOther}</p>
          {!mine && <p className="muted">{text.schedules.takeOver}</p>}
          {!mine && takesOver(body) && (
            <p className="once" role="status">
              {text.schedules.taking}
            </p>
          )}
        </>
      }
      further={
        moved && (
          <p className="once" role="alert">
            {text.schedules.moved}
          </p>
        )
      }
      same={
        <Equivalent
          method="PATCH"
          path={`/api/v1/schedules/${base.id}`}
          revision={base.revision}
          sent={sentOf(body)}
          cli={cliOf(body, base)}
        />
      }
      act={{ busy, words: text.agents.save, reason: mayUpdate ?? (lacking(draft) ? undefined : unchanged) }}
      onCancel={onDone}
    />
  )
}

interface FormProps {
  draft: Draft
  onChange: (draft: Draft) => void
  error: unknown
  onSubmit: (event: FormEvent) => void
  fnName?: string
  /** Where an interval without a start is counted from. */
  anchor?: string
  authority: ReactNode
  further: ReactNode
  same: ReactNode
  act: { busy: boolean; words: string; reason: string | undefined }
  onCancel: () => void
}

function Form({ draft, onChange, error, onSubmit, fnName, anchor, act, onCancel, ...parts }: FormProps) {
  const text = useText()
  const asked = previewOf(draft, anchor)
  const settled = useSettled(asked ? JSON.stringify(asked) : '')
  const preview = useQuery({
    ...queries.preview(settled ? JSON.parse(settled) : { timing: {} }),
    enabled: settled !== '',
  })
  const unread = preview.error instanceof Problem ? preview.error : undefined
  const atItsField = unread !== undefined && unread.errors.length > 0
  const refused = error instanceof Problem ? error : unread
  const lacks = lacking(draft)
  const why = { fn: text.schedules.noFn, time: text.schedules.noTime, json: text.notJson }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!lacks) onSubmit(event)
  }
  return (
    <form className="form workbench" onSubmit={submit}>
      <div>
        <ScheduleFields
          draft={draft}
          onChange={onChange}
          refused={refused}
          {...(fnName !== undefined && { fnName })}
        />
        {parts.further}
        {error !== null && error !== undefined && <Failure error={error} />}
        {parts.same}
        <footer>
          <Button onClick={onCancel}>{text.cancel}</Button>
          <Button type="submit" look="primary" busy={act.busy} reason={act.reason ?? (lacks && why[lacks])}>
            {act.words}
          </Button>
        </footer>
      </div>
      <div>
        <Section title={text.schedules.nextTicks}>
          <div aria-live="polite">
            {settled === '' && <p className="muted">{text.schedules.waiting}</p>}
            {preview.error && !atItsField && <Failure error={preview.error} />}
            {preview.data?.length === 0 && <p>{text.schedules.noNext}</p>}
            {preview.data && preview.data.length > 0 && (
              <>
                <p className="muted">{text.schedules.inZone(draft.zone.trim() || 'UTC')}</p>
                <TickList
                  of={preview.data}
                  zone={draft.zone.trim() || 'UTC'}
                  label={text.schedules.nextTicks}
                />
              </>
            )}
          </div>
        </Section>
        <Section title={text.schedules.authority}>{parts.authority}</Section>
      </div>
    </form>
  )
}
