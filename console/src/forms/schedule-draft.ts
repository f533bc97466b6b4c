/** A schedule as its form holds it, and what of it is sent. */

import { compact, isJson } from '../api/json-text'
import type { Body, Schedule } from '../api/types'
import { intervalOf, type Unit } from './cron'
import { momentOf, ownZone, wallOf } from './zoned'

export const OVERLAPS = ['skip', 'queue', 'allow'] as const
export const MISSES = ['skip', 'run_once', 'backfill'] as const
export const UNITS = { seconds: 1, minutes: 60, hours: 3_600, days: 86_400 } as const
export const TIMINGS = ['cron', 'every', 'once'] as const

export interface Draft {
  name: string
  description: string
  /** Its id. */
  fn: string
  kind: (typeof TIMINGS)[number]
  cron: string
  every: string
  unit: Unit
  /** Times as a clock of the zone shows them. */
  at: string
  starts: string
  ends: string
  zone: string
  input: string
  permissions: string[]
  jitter: string
  overlap: Schedule['overlap']
  missed: Schedule['missed']
  backfill: string
  paused: boolean
}

export function blank(): Draft {
  return {
    name: '',
    description: '',
    fn: '',
    kind: 'cron',
    cron: '',
    every: '5',
    unit: 'minutes',
    at: '',
    starts: '',
    ends: '',
    zone: ownZone(),
    input: '{}',
    permissions: [],
    jitter: '0',
    overlap: 'skip',
    missed: 'skip',
    backfill: '10',
    paused: false,
  }
}

export function draftOf(schedule: Schedule): Draft {
  const { timing, time_zone: zone } = schedule
  const every = timing.every_seconds ? intervalOf(timing.every_seconds) : undefined
  const wall = (moment: string | null | undefined) => (moment ? wallOf(moment, zone) : '')
  return {
    ...blank(),
    name: schedule.name,
    description: schedule.description,
    fn: schedule.function,
    kind: timing.cron ? 'cron' : every ? 'every' : 'once',
    cron: timing.cron ?? '',
    ...(every && { every: String(every.count), unit: every.unit }),
    at: wall(timing.at),
    starts: wall(schedule.starts_at),
    ends: wall(schedule.ends_at),
    zone,
    input: schedule.input,
    permissions: schedule.permissions,
    jitter: String(schedule.jitter_seconds),
    overlap: schedule.overlap,
    missed: schedule.missed,
    backfill: String(schedule.backfill),
  }
}

/** When it ticks; undefined while that is not said whole. */
function timingOf(draft: Draft): Body<'schedules.preview'>['timing'] | undefined {
  switch (draft.kind) {
    case 'cron':
      return draft.cron.trim() === '' ? undefined : { cron: draft.cron.trim() }
    case 'every':
      return draft.every === '' ? undefined : { every_seconds: Number(draft.every) * UNITS[draft.unit] }
    case 'once': {
      const at = momentOf(draft.at, draft.zone)
      return at === undefined ? undefined : { at }
    }
  }
}

/** What the server is asked for the next ticks; `anchor` is where an interval without a start is counted from. */
export function previewOf(draft: Draft, anchor?: string): Body<'schedules.preview'> | undefined {
  const timing = timingOf(draft)
  if (!timing) return undefined
  const starts_at = momentOf(draft.starts, draft.zone) ?? (draft.kind === 'every' ? anchor : undefined)
  const ends_at = momentOf(draft.ends, draft.zone)
  return {
    timing,
    time_zone: draft.zone.trim() || 'UTC',
    ...(starts_at && { starts_at }),
    ...(ends_at && { ends_at }),
  }
}

/** The same of a schedule that there is. */
export function previewOfSchedule(schedule: Schedule): Body<'schedules.preview'> {
  const { timing, time_zone, starts_at, ends_at, created_at } = schedule
  const from = starts_at ?? (timing.every_seconds ? created_at : undefined)
  return { timing, time_zone, ...(from && { starts_at: from }), ...(ends_at && { ends_at }) }
}

/** Every member as the text that is sent: an input that was typed goes as it was typed. */
export type Told = Record<string, string>

function told(draft: Draft): Told {
  const of = (value: unknown) => JSON.stringify(value)
  return {
    name: of(draft.name.trim()),
    description: of(draft.description.trim()),
    timing: of(timingOf(draft) ?? null),
    time_zone: of(draft.zone.trim() || 'UTC'),
    function: of(draft.fn),
    input: isJson(draft.input) ? compact(draft.input) : draft.input,
    permissions: of([...draft.permissions].sort()),
    jitter_seconds: of(Number(draft.jitter)),
    overlap: of(draft.overlap),
    missed: of(draft.missed),
    backfill: of(Number(draft.backfill) || 10),
    starts_at: of(momentOf(draft.starts, draft.zone) ?? null),
    ends_at: of(momentOf(draft.ends, draft.zone) ?? null),
  }
}

/** A new one: what is as the server would have it anyway is left out. */
export function made(draft: Draft): Told {
  const defaults = told({ ...blank(), zone: 'UTC' })
  const needed = ['name', 'timing', 'function']
  const said = Object.entries(told(draft)).filter(
    ([name, value]) => needed.includes(name) || value !== defaults[name],
  )
  return { ...Object.fromEntries(said), ...(draft.paused && { active: 'false' }) }
}

/** What differs (RFC 7396); null takes a start or an end away. */
export function changed(draft: Draft, base: Draft): Told {
  const before = told(base)
  return Object.fromEntries(Object.entries(told(draft)).filter(([name, value]) => value !== before[name]))
}

/** Whether it makes whoever sends it the owner. */
export function takesOver(patch: Told): boolean {
  return ['function', 'input', 'permissions'].some((name) => name in patch)
}

export function sentOf(members: Told): string {
  return `{${Object.entries(members)
    .map(([name, value]) => `${JSON.stringify(name)}:${value}`)
    .join(',')}}`
}

/** Why it can't be sent yet. */
export function lacking(draft: Draft): 'fn' | 'time' | 'json' | undefined {
  if (draft.fn === '') return 'fn'
  if (timingOf(draft) === undefined) return 'time'
  return isJson(draft.input) ? undefined : 'json'
}
