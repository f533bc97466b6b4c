import { expect, test } from 'vitest'
import type { Schedule } from '../api/types'
import {
  blank,
  changed,
  draftOf,
  lacking,
  made,
  previewOf,
  previewOfSchedule,
  sentOf,
  takesOver,
} from './schedule-draft'

const fn = 'fn_01m8ft622me008nb1x2y3z4a5b'
const schedule: Schedule = {
  id: 'sch_01m8ft622me008nb1x2y3z4a5b',
  name: 'nightly',
  description: '',
  owner: 'usr_01m8ft622me008nb1x2y3z4a5b',
  timing: { every_seconds: 5_400 },
  time_zone: 'Europe/Berlin',
  function: fn,
  function_name: 'ops/report',
  input: '{"n":9007199254740993}',
  permissions: ['state:write:own', 'runs:read:own'],
  jitter_seconds: 0,
  overlap: 'skip',
  missed: 'backfill',
  backfill: 3,
  starts_at: null,
  ends_at: '2026-07-01T06:30:00.000Z',
  state: 'active',
  next: [],
  refusal: null,
  created_by: 'usr_01m8ft622me008nb1x2y3z4a5b',
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: '2026-01-01T00:00:00.000Z',
  revision: 4,
}

test('a new one says what differs from what the server would have anyway', () => {
  const draft = { ...blank(), name: ' nightly ', fn, cron: '0 2 * * *', zone: 'UTC' }
  expect(lacking(draft)).toBeUndefined()
  expect(sentOf(made(draft))).toBe(`{"name":"nightly","timing":{"cron":"0 2 * * *"},"function":"${fn}"}`)
  const more = {
    ...draft,
    zone: 'Europe/Berlin',
    input: '{ "n": 1e400 }',
    paused: true,
    ends: '2026-07-01T08:30',
  }
  expect(sentOf(made(more))).toBe(
    `{"name":"nightly","timing":{"cron":"0 2 * * *"},"time_zone":"Europe/Berlin","function":"${fn}","input":{"n":1e400},"ends_at":"2026-07-01T06:30:00Z","active":false}`,
  )
})

test('what lacks is said one by one', () => {
  const draft = blank()
  expect(lacking(draft)).toBe('fn')
  expect(lacking({ ...draft, fn })).toBe('time')
  expect(lacking({ ...draft, fn, kind: 'once', at: '2026-02' })).toBe('time')
  expect(lacking({ ...draft, fn, kind: 'every', input: '{' })).toBe('json')
})

test('a change says only what differs, and who takes it over by that', () => {
  const base = draftOf(schedule)
  expect(base).toMatchObject({ kind: 'every', every: '90', unit: 'minutes', ends: '2026-07-01T08:30:00' })
  expect(changed(base, base)).toEqual({})
  // The order of permissions means nothing.
  expect(changed({ ...base, permissions: [...base.permissions].reverse() }, base)).toEqual({})
  const named = changed({ ...base, name: 'weekly', unit: 'hours' }, base)
  expect(named).toEqual({ name: '"weekly"', timing: '{"every_seconds":324000}' })
  expect(takesOver(named)).toBe(false)
  expect(changed({ ...base, ends: '' }, base)).toEqual({ ends_at: 'null' })
  const given = changed({ ...base, input: '{"n":9007199254740992}' }, base)
  expect(given).toEqual({ input: '{"n":9007199254740992}' })
  expect(takesOver(given)).toBe(true)
  // What a clock shows stays, so in another zone it is another moment.
  expect(changed({ ...base, zone: 'UTC' }, base)).toEqual({
    time_zone: '"UTC"',
    ends_at: '"2026-07-01T08:30:00Z"',
  })
})

test('an interval is previewed from where the server counts it', () => {
  const asked = { timing: { every_seconds: 5_400 }, time_zone: 'Europe/Berlin' }
  const ends_at = '2026-07-01T06:30:00'
  expect(previewOfSchedule(schedule)).toEqual({
    ...asked,
    starts_at: schedule.created_at,
    ends_at: `${ends_at}.000Z`,
  })
  const draft = draftOf(schedule)
  expect(previewOf(draft)).toEqual({ ...asked, ends_at: `${ends_at}Z` })
  expect(previewOf(draft, schedule.created_at)).toMatchObject({ starts_at: schedule.created_at })
  expect(
    previewOf({ ...draft, kind: 'cron', cron: '@daily' }, schedule.created_at)?.starts_at,
  ).toBeUndefined()
})
