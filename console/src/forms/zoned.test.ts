import { expect, test } from 'vitest'
import { knownZone, momentOf, wallOf } from './zoned'

test('a clock is read in its own zone', () => {
  expect(momentOf('2026-01-15T09:00', 'Europe/Berlin')).toBe('2026-01-15T08:00:00Z')
  expect(momentOf('2026-07-15T09:00:30', 'Europe/Berlin')).toBe('2026-07-15T07:00:30Z')
  expect(momentOf('2026-07-15T09:00', 'Asia/Kathmandu')).toBe('2026-07-15T03:15:00Z')
  expect(wallOf('2026-07-15T03:15:00.000Z', 'Asia/Kathmandu')).toBe('2026-07-15T09:00:00')
  expect(wallOf('2026-12-31T23:30:00Z', 'Europe/Berlin')).toBe('2027-01-01T00:30:00')
})

test('what comes twice is the first, what is left out goes on from before', () => {
  expect(momentOf('2026-10-25T02:30', 'Europe/Berlin')).toBe('2026-10-25T00:30:00Z')
  expect(momentOf('2026-03-29T02:30', 'Europe/Berlin')).toBe('2026-03-29T01:30:00Z')
  expect(momentOf('2026-11-01T01:30', 'America/New_York')).toBe('2026-11-01T05:30:00Z')
  expect(momentOf('2026-10-25T03:00', 'Europe/Berlin')).toBe('2026-10-25T02:00:00Z')
})

test('each hour around where clocks move is found again by what the clock showed', () => {
  for (const zone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC']) {
    for (const [month, day] of [
      [2, 7],
      [2, 28],
      [3, 4],
      [9, 3],
      [9, 24],
      [9, 31],
    ] as const) {
      for (let hour = 0; hour < 72; hour++) {
        const moment = new Date(Date.UTC(2026, month, day, hour, 20)).toISOString().replace('.000Z', 'Z')
        const wall = wallOf(moment, zone)
        const found = momentOf(wall, zone) ?? ''
        expect(wallOf(found, zone), `${moment} in ${zone}`).toBe(wall)
        expect(found <= moment, `${moment} in ${zone}`).toBe(true)
      }
    }
  }
})

test('what is no time or no zone', () => {
  expect(momentOf('', 'UTC')).toBeUndefined()
  expect(momentOf('soon', 'UTC')).toBeUndefined()
  expect(knownZone('Mars/Olympus')).toBe('UTC')
  expect(knownZone('Europe/Berlin')).toBe('Europe/Berlin')
  expect(momentOf('2026-07-15T09:00', 'Mars/Olympus')).toBe('2026-07-15T09:00:00Z')
})
