/** Moments, and what a clock on the wall shows at them in some time zone. */

/** A zone that this browser knows: the one named, or UTC in its place. The server may know more of them. */
export function knownZone(zone: string): string {
  return formatOf(zone) ? zone : 'UTC'
}

/** The zone of whoever looks. */
export function ownZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone
}

/** What the clock shows, as `2026-03-29T03:30:00`. */
export function wallOf(moment: string, zone: string): string {
  return new Date(shownAt(Date.parse(moment), zone)).toISOString().slice(0, 19)
}

/**
 * The moment at which the clock shows this. Of two it is the first; a time that the clock leaves out is taken as if it had not
 * been put forward. Undefined for what is no time.
 */
export function momentOf(wall: string, zone: string): string | undefined {
  const shown = WALL.test(wall) ? Date.parse(`${wall}Z`) : Number.NaN
  if (Number.isNaN(shown)) return undefined
  const [before, after] = [shown - DAY, shown + DAY].map((near) => shown - (shownAt(near, zone) - near))
  const fitting = [before, after].filter(
    (one): one is number => one !== undefined && shownAt(one, zone) === shown,
  )
  const moment = fitting.length > 0 ? Math.min(...fitting) : (before ?? shown)
  return new Date(moment).toISOString().replace('.000Z', 'Z')
}

const DAY = 86_400_000
const WALL = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/

/** What the clock shows, read as if it were UTC; to the second. */
function shownAt(moment: number, zone: string): number {
  const parts = (formatOf(zone) ?? formatOf('UTC'))?.formatToParts(moment) ?? []
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value)
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'))
}

const formats = new Map<string, Intl.DateTimeFormat | undefined>()

function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  if (!formats.has(zone)) formats.set(zone, made(zone))
  return formats.get(zone)
}

function made(zone: string): Intl.DateTimeFormat | undefined {
  const two = '2-digit' as const
  const fields = { year: 'numeric', month: two, day: two, hour: two, minute: two, second: two } as const
  try {
    return new Intl.DateTimeFormat('en-US-u-ca-gregory', { ...fields, hourCycle: 'h23', timeZone: zone })
  } catch {
    return undefined
  }
}
