/**
 * What common cron patterns mean, for saying it in words. Whatever is not understood here for certain is shown as it is
 * written: the server reads patterns, this only tells some of them.
 */

export type Unit = 'seconds' | 'minutes' | 'hours' | 'days'

export type Meaning =
  | { kind: 'every'; count: number; unit: Unit }
  /** So many minutes past each so many hours. */
  | { kind: 'hourly'; count: number; minute: number }
  | { kind: 'at'; times: string[]; days: Days }

/** Weekdays count from Sunday, which is 0. */
export type Days =
  | { kind: 'every' }
  | { kind: 'weekdays'; days: number[] }
  | { kind: 'month'; days: number[] }
  | { kind: 'last' }
  | { kind: 'year'; month: number; day: number }

const nicknames: Record<string, string> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
}
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']

export function meaningOf(pattern: string): Meaning | undefined {
  const written = nicknames[pattern.trim().toLowerCase()] ?? pattern.trim()
  const fields = written.split(/\s+/)
  if (fields.length === 5) fields.unshift('0')
  if (fields.length !== 6) return undefined
  const [second = '', minute = '', hour = '', day = '', month = '', weekday = ''] = fields
  const anyDay = day === '*' && month === '*' && weekday === '*'
  if (anyDay && minute === '*' && hour === '*' && second !== '0') return every(second, 60, 'seconds')
  if (second !== '0') return undefined
  if (anyDay && hour === '*') {
    const at = number(minute, 59)
    return at === undefined ? every(minute, 60, 'minutes') : { kind: 'hourly', count: 1, minute: at }
  }
  const minutes = number(minute, 59)
  if (minutes === undefined) return undefined
  const step = anyDay ? stepOf(hour, 24) : undefined
  if (step !== undefined) return { kind: 'hourly', count: step, minute: minutes }
  const hours = hour === '*' ? undefined : listOf(hour, (one) => number(one, 23))
  const days = daysOf(day, month, weekday)
  if (!hours || !days || hours.length > 4) return undefined
  const two = (value: number) => String(value).padStart(2, '0')
  return { kind: 'at', times: hours.map((hour) => `${two(hour)}:${two(minutes)}`), days }
}

/** An interval in the largest unit that it is a whole number of. */
export function intervalOf(seconds: number): { count: number; unit: Unit } {
  for (const [unit, size] of [
    ['days', 86_400],
    ['hours', 3_600],
    ['minutes', 60],
  ] as const)
    if (seconds % size === 0) return { count: seconds / size, unit }
  return { count: seconds, unit: 'seconds' }
}

function every(field: string, of: number, unit: Unit): Meaning | undefined {
  const count = field === '*' ? 1 : stepOf(field, of)
  return count === undefined ? undefined : { kind: 'every', count, unit }
}

/** A step, if it comes at even distances. */
function stepOf(field: string, of: number): number | undefined {
  const step = Number(/^\*\/(\d+)$/.exec(field)?.[1])
  return step > 0 && step < of && of % step === 0 ? step : undefined
}

function number(text: string, most: number): number | undefined {
  return /^\d{1,2}$/.test(text) && Number(text) <= most ? Number(text) : undefined
}

function listOf(field: string, read: (one: string) => number | undefined): number[] | undefined {
  const found = field.split(',').map(read)
  return found.every((one) => one !== undefined) ? [...new Set(found)].sort((a, b) => a - b) : undefined
}

function daysOf(day: string, month: string, weekday: string): Days | undefined {
  if (month !== '*') {
    const [at, on] = [named(month, MONTHS, 1), number(day, 31)]
    return at !== undefined && on && weekday === '*' ? { kind: 'year', month: at, day: on } : undefined
  }
  if (day === '*' && weekday === '*') return { kind: 'every' }
  if (weekday === '*') {
    if (day === 'L') return { kind: 'last' }
    const days = listOf(day, (one) => number(one, 31) || undefined)
    return days && { kind: 'month', days }
  }
  const days = day === '*' ? weekdaysOf(weekday) : undefined
  return days && { kind: 'weekdays', days }
}

function weekdaysOf(field: string): number[] | undefined {
  const range = /^(\w+)-(\w+)$/.exec(field)
  if (!range) return listOf(field, (one) => named(one, WEEKDAYS, 0, 7))
  const [from, to] = range.slice(1).map((one) => named(one, WEEKDAYS, 0, 7))
  if (from === undefined || to === undefined || from >= to) return undefined
  return Array.from({ length: to - from + 1 }, (_, at) => from + at)
}

/** A number of the names, or one of them; what stands one past the last is the first again. */
function named(text: string, names: string[], first: number, again?: number): number | undefined {
  const at = names.indexOf(text.toUpperCase())
  if (at >= 0) return at + first
  const value = number(text, again ?? names.length - 1 + first)
  if (value === undefined || value < first) return undefined
  return value === again ? first : value
}
