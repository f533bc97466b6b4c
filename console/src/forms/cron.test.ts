import { expect, test } from 'vitest'
import { intervalOf, meaningOf } from './cron'

test.each([
  ['* * * * *', { kind: 'every', count: 1, unit: 'minutes' }],
  ['*/15 * * * *', { kind: 'every', count: 15, unit: 'minutes' }],
  ['* * * * * *', { kind: 'every', count: 1, unit: 'seconds' }],
  ['*/10 * * * * *', { kind: 'every', count: 10, unit: 'seconds' }],
  ['@hourly', { kind: 'hourly', count: 1, minute: 0 }],
  ['5 * * * *', { kind: 'hourly', count: 1, minute: 5 }],
  ['30 */6 * * *', { kind: 'hourly', count: 6, minute: 30 }],
  ['@daily', { kind: 'at', times: ['00:00'], days: { kind: 'every' } }],
  ['0 30 2 * * *', { kind: 'at', times: ['02:30'], days: { kind: 'every' } }],
  ['0 20,8 * * *', { kind: 'at', times: ['08:00', '20:00'], days: { kind: 'every' } }],
  ['0 9 * * MON-FRI', { kind: 'at', times: ['09:00'], days: { kind: 'weekdays', days: [1, 2, 3, 4, 5] } }],
  ['0 9 * * 7,3', { kind: 'at', times: ['09:00'], days: { kind: 'weekdays', days: [0, 3] } }],
  ['0 0 1,15 * *', { kind: 'at', times: ['00:00'], days: { kind: 'month', days: [1, 15] } }],
  ['15 10 L * *', { kind: 'at', times: ['10:15'], days: { kind: 'last' } }],
  ['@yearly', { kind: 'at', times: ['00:00'], days: { kind: 'year', month: 1, day: 1 } }],
  ['0 12 24 dec *', { kind: 'at', times: ['12:00'], days: { kind: 'year', month: 12, day: 24 } }],
])('%s', (pattern, meaning) => {
  expect(meaningOf(pattern)).toEqual(meaning)
})

test.each([
  '',
  '* * * *',
  '*/7 * * * *',
  '*/15 2 * * *',
  '0 9-17 * * *',
  '0 9 * * MON#2',
  '0 9 * * FRI-MON',
  '0 9 1 * MON',
  '0 9 15W * *',
  '0 9 1 1-3 *',
  '61 * * * *',
  '0 24 * * *',
  '0 0 0 * *',
  '0 0 * * 8',
  '0 0 1 13 *',
  '30 0 9 * * *',
  '0 1,2,3,4,5 * * *',
  '@reboot',
])('%s is shown as it is written', (pattern) => {
  expect(meaningOf(pattern)).toBeUndefined()
})

test('an interval is told in the largest unit that fits', () => {
  expect(intervalOf(300)).toEqual({ count: 5, unit: 'minutes' })
  expect(intervalOf(86_400)).toEqual({ count: 1, unit: 'days' })
  expect(intervalOf(129_600)).toEqual({ count: 36, unit: 'hours' })
  expect(intervalOf(90)).toEqual({ count: 90, unit: 'seconds' })
})
