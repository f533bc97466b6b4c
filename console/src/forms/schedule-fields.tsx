import { useQuery } from '@tanstack/react-query'
import { type ComponentProps, type ReactNode, useId, useState } from 'react'
import { isJson } from '../api/json-text'
import type { Problem } from '../api/problem'
import { queries } from '../api/queries'
import { Finder } from '../components/finder'
import { PermissionEditor } from '../components/permission-editor'
import { useTimingWords } from '../components/timing'
import { useText } from '../text'
import { Editor } from '../ui/editor'
import { Field } from '../ui/form'
import { Name } from '../ui/name'
import { misfits } from './fits'
import { type Draft, MISSES, OVERLAPS, previewOf, TIMINGS, UNITS } from './schedule-draft'

export interface FieldsProps {
  draft: Draft
  onChange: (draft: Draft) => void
  refused: Problem | undefined
  /** What the function is called that it has already. */
  fnName?: string
}

/** Everything that is said of a schedule, what few need behind its name. */
export function ScheduleFields(props: FieldsProps) {
  const text = useText()
  const { draft, onChange, refused, fnName } = props
  const set = (more: Partial<Draft>) => onChange({ ...draft, ...more })
  return (
    <>
      <Field label={text.schedules.name} hint={text.schedules.nameHint} error={said(refused, 'name')}>
        {(ids) => (
          <input
            {...ids}
            required
            maxLength={100}
            value={draft.name}
            onChange={(event) => set({ name: event.target.value })}
          />
        )}
      </Field>
      <Field label={text.schedules.fn} hint={text.schedules.fnHint} error={said(refused, 'function')}>
        {(ids) => (
          <Finder
            {...ids}
            label={text.schedules.fn}
            kinds={['function']}
            placeholder={text.functions.search}
            {...(fnName !== undefined && { initial: fnName })}
            onChoose={(found) => set({ fn: found?.id ?? '' })}
          />
        )}
      </Field>
      <Timing {...props} />
      <Input {...props} />
      <Field label={text.description} optional={text.optional} error={refused?.of('description')}>
        {(ids) => (
          <input
            {...ids}
            maxLength={4000}
            value={draft.description}
            onChange={(event) => set({ description: event.target.value })}
          />
        )}
      </Field>
      <Behind name={text.agents.permissions} wrong={said(refused, 'permissions') !== undefined}>
        <p className="muted">{text.schedules.permissionsHint}</p>
        <PermissionEditor
          value={draft.permissions}
          onChange={(permissions) => set({ permissions })}
          reach="own"
          error={said(refused, 'permissions')}
        />
      </Behind>
      <Further {...props} />
    </>
  )
}

/** What the server refuses without naming the field that it means. */
const places: Record<string, string> = {
  schedule_exists: 'name',
  not_found: 'function',
  authority_exceeded: 'permissions',
}

function said(refused: Problem | undefined, field: string): string | undefined {
  if (!refused) return undefined
  const meant = places[refused.code] === field ? refused.detail || refused.message : undefined
  return refused.of(field) ?? meant
}

/** When it ticks: the three ways to say it stand side by side, and one of them is filled in. */
function Timing({ draft, onChange, refused }: FieldsProps) {
  const { schedules } = useText()
  const group = useId()
  const zones = useId()
  const words = useTimingWords()
  const set = (more: Partial<Draft>) => onChange({ ...draft, ...more })
  const timing = previewOf(draft)?.timing
  const error = (member: string) => refused?.in('timing', member) ?? refused?.of('timing')
  return (
    <>
      <fieldset className="segments">
        <legend>{schedules.when}</legend>
        <div>
          {TIMINGS.map((kind) => (
            <label key={kind}>
              <input type="radio" name={group} checked={draft.kind === kind} onChange={() => set({ kind })} />
              {schedules.timings[kind]}
            </label>
          ))}
        </div>
      </fieldset>
      {draft.kind === 'cron' && (
        <Field label={schedules.cron} hint={schedules.cronHint} error={error('cron')}>
          {(ids) => (
            <input
              {...ids}
              className="mono"
              required
              maxLength={200}
              spellCheck={false}
              autoComplete="off"
              placeholder="0 2 * * *"
              value={draft.cron}
              onChange={(event) => set({ cron: event.target.value })}
            />
          )}
        </Field>
      )}
      {draft.kind === 'every' && (
        <div className="pair">
          <Field label={schedules.every} hint={schedules.everyHint} error={error('every_seconds')}>
            {(ids) => (
              <input
                {...ids}
                type="number"
                required
                min={1}
                value={draft.every}
                onChange={(event) => set({ every: event.target.value })}
              />
            )}
          </Field>
          <Field label={schedules.unit}>
            {(ids) => (
              <select
                {...ids}
                value={draft.unit}
                onChange={(event) => set({ unit: event.target.value as Draft['unit'] })}
              >
                {(Object.keys(UNITS) as Draft['unit'][]).map((unit) => (
                  <option key={unit} value={unit}>
                    {schedules.units[unit]}
                  </option>
                ))}
              </select>
            )}
          </Field>
        </div>
      )}
      {draft.kind === 'once' && (
        <Field label={schedules.at} hint={schedules.atHint} error={error('at')}>
          {(ids) => (
            <Clock {...ids} required value={draft.at} onChange={(event) => set({ at: event.target.value })} />
          )}
        </Field>
      )}
      {timing && refused?.of('timing') === undefined && (
        <p className="muted hint">
          <Name of={words(timing, draft.zone.trim() || 'UTC')} />
        </p>
      )}
      <Field label={schedules.zone} hint={schedules.zoneHint} error={refused?.of('time_zone')}>
        {(ids) => (
          <>
            <input
              {...ids}
              list={zones}
              required
              maxLength={64}
              spellCheck={false}
              autoComplete="off"
              value={draft.zone}
              onChange={(event) => set({ zone: event.target.value })}
            />
            <datalist id={zones}>
              {['UTC', ...Intl.supportedValuesOf('timeZone')].map((zone) => (
                <option key={zone} value={zone} />
              ))}
            </datalist>
          </>
        )}
      </Field>
    </>
  )
}

/** A date with a time, to the second if somebody wants. */
function Clock(props: ComponentProps<'input'>) {
  return <input {...props} type="datetime-local" step={1} max="9999-12-31T23:59:59" />
}

/** The schema of the function says at once what would be refused at the tick. */
function Input({ draft, onChange, refused }: FieldsProps) {
  const text = useText()
  const fn = useQuery({ ...queries.fn(draft.fn), enabled: draft.fn !== '', retry: false }).data
  const valid = isJson(draft.input)
  const found = valid ? misfits(fn?.version.input_schema, JSON.parse(draft.input)) : []
  return (
    <Field
      label={text.runs.input}
      hint={text.schedules.inputHint}
      error={valid ? refused?.of('input') : text.notJson}
    >
      {({ id }) => (
        <>
          <Editor
            id={id}
            label={text.runs.input}
            value={draft.input}
            onChange={(input) => onChange({ ...draft, input })}
            rows={6}
          />
          {found.length > 0 && (
            <div className="wrong" role="status">
              <p>{text.schedules.misfits}</p>
              <ul>
                {found.map(({ at, kind, of }) => (
                  <li key={at + kind + of}>
                    <code>
                      <Name of={at || '/'} />
                    </code>{' '}
                    <Name of={text.schedules.misfit[kind](of)} />
                  </li>
                ))}
              </ul>
            </div>
          )}
        </>
      )}
    </Field>
  )
}

function Further({ draft, onChange, refused }: FieldsProps) {
  const { schedules } = useText()
  const set = (more: Partial<Draft>) => onChange({ ...draft, ...more })
  const wrong = ['overlap', 'missed', 'backfill', 'jitter_seconds', 'starts_at', 'ends_at'].some((field) =>
    refused?.of(field),
  )
  return (
    <Behind name={schedules.further} wrong={wrong}>
      <Choice
        label={schedules.overlap}
        hint={schedules.overlapHint}
        error={refused?.of('overlap')}
        value={draft.overlap}
        of={OVERLAPS.map((one) => [one, schedules.overlaps[one]])}
        onChange={(overlap) => set({ overlap })}
      />
      <Choice
        label={schedules.missed}
        hint={schedules.missedHint}
        error={refused?.of('missed')}
        value={draft.missed}
        of={MISSES.map((one) => [one, schedules.misses[one]])}
        onChange={(missed) => set({ missed })}
      />
      {draft.missed === 'backfill' && (
        <Field label={schedules.backfill} hint={schedules.backfillHint} error={refused?.of('backfill')}>
          {(ids) => (
            <input
              {...ids}
              type="number"
              required
              min={1}
              max={100}
              value={draft.backfill}
              onChange={(event) => set({ backfill: event.target.value })}
            />
          )}
        </Field>
      )}
      <Field label={schedules.jitter} hint={schedules.jitterHint} error={refused?.of('jitter_seconds')}>
        {(ids) => (
          <input
            {...ids}
            type="number"
            required
            min={0}
            max={3600}
            value={draft.jitter}
            onChange={(event) => set({ jitter: event.target.value })}
          />
        )}
      </Field>
      <div className="pair clocks">
        <Field label={schedules.starts} hint={schedules.startsHint} error={refused?.of('starts_at')}>
          {(ids) => (
            <Clock {...ids} value={draft.starts} onChange={(event) => set({ starts: event.target.value })} />
          )}
        </Field>
        <Field label={schedules.ends} hint={schedules.endsHint} error={refused?.of('ends_at')}>
          {(ids) => (
            <Clock {...ids} value={draft.ends} onChange={(event) => set({ ends: event.target.value })} />
          )}
        </Field>
      </div>
    </Behind>
  )
}

interface BehindProps {
  name: string
  /** Something in it was refused, so it has to be seen. */
  wrong: boolean
  children: ReactNode
}

/** What few need, behind its name. Once open it stays so until somebody closes it. */
function Behind({ name, wrong, children }: BehindProps) {
  const [open, setOpen] = useState(false)
  return (
    <details className="further" open={open || wrong} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{name}</summary>
      {children}
    </details>
  )
}

interface ChoiceProps<T extends string> {
  label: string
  hint: ReactNode
  error: string | undefined
  value: T
  of: [T, string][]
  onChange: (value: T) => void
}

function Choice<T extends string>({ label, hint, error, value, of, onChange }: ChoiceProps<T>) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => (
        <select {...ids} value={value} onChange={(event) => onChange(event.target.value as T)}>
          {of.map(([id, words]) => (
            <option key={id} value={id}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}
