import { useNow } from '../hooks/now'
import { useLanguage } from '../text'

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]

function relative(seconds: number, language: string): string {
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' })
  const [unit, size] = steps.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1]
  return format.format(Math.trunc(seconds / size), unit)
}

export function absolute(at: string, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'long' }).format(new Date(at))
}

/** A moment to the millisecond, for what is kept as a record. */
export function Moment({ at }: { at: string }) {
  const [language] = useLanguage()
  return (
    <time className="mono" dateTime={at}>
      {toTheMillisecond(at, language)}
    </time>
  )
}

function toTheMillisecond(at: string, language: string): string {
  return new Intl.DateTimeFormat(language, {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    timeZoneName: 'short',
  }).format(new Date(at))
}

/** A moment: relative to now, absolute on hover. */
export function Time({ at }: { at: string | null | undefined }) {
  const now = useNow()
  const [language] = useLanguage()
  if (!at) return <span className="muted">–</span>
  const seconds = Math.round((Date.parse(at) - now) / 1000)
  return (
    <time className="time" dateTime={at} title={absolute(at, language)}>
      {relative(Math.abs(seconds) < 5 ? 0 : seconds, language)}
    </time>
  )
}

/** A length of time in the unit that reads best. */
export function Duration({ ms }: { ms: number | undefined }) {
  return ms === undefined ? <span className="muted">–</span> : <span className="mono">{inWords(ms)}</span>
}

function inWords(ms: number): string {
  if (ms < 1_000) return `${ms} ms`
  if (ms < 60_000 && ms % 1_000 === 0) return `${ms / 1_000} s`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`
  const hours = Math.floor(ms / 3_600_000)
  return hours < 48
    ? `${hours} h ${Math.round((ms % 3_600_000) / 60_000)} min`
    : `${Math.floor(hours / 24)} d ${hours % 24} h`
}
