import type { Schedule, ScheduleSummary } from '../api/types'
import { intervalOf, meaningOf } from '../forms/cron'
import { knownZone, ownZone } from '../forms/zoned'
import { type Language, useLanguage, useText } from '../text'
import { Name } from '../ui/name'

type Timing = ScheduleSummary['timing']

/** When a schedule ticks, in words; a pattern that has none here is shown as it is written. */
export function useTimingWords(): (timing: Timing, zone: string) => string {
  const { words } = useText().schedules
  const [language] = useLanguage()
  return (timing, zone) => {
    if (timing.at) return words.once(inZone(timing.at, zone, language))
    if (timing.every_seconds) {
      const { count, unit } = intervalOf(timing.every_seconds)
      return words.every[unit](count)
    }
    const pattern = timing.cron ?? ''
    const meaning = meaningOf(pattern)
    if (!meaning) return `${pattern} (${zone})`
    if (meaning.kind === 'every') return words.every[meaning.unit](meaning.count)
    if (meaning.kind === 'hourly')
      return `${words.every.hours(meaning.count)}, ${words.minute(meaning.minute)}`
    const all = (of: string[]) => new Intl.ListFormat(language, { type: 'conjunction' }).format(of)
    const { days } = meaning
    // Any date of the right day will do; its year is not said.
    const day = (of: Date, options: Intl.DateTimeFormatOptions) =>
      new Intl.DateTimeFormat(language, { ...options, timeZone: 'UTC' }).format(of)
    const weekday = (at: number) => day(new Date(Date.UTC(2024, 0, 7 + at)), { weekday: 'long' })
    const told = {
      every: () => words.everyDay,
      last: () => words.lastDay,
      weekdays: (of: number[]) => (of.join() === '1,2,3,4,5' ? words.workdays : all(of.map(weekday))),
      month: (of: number[]) => words.monthDays(all(of.map(String))),
      year: (month: number, on: number) =>
        words.yearly(day(new Date(Date.UTC(2024, month - 1, on)), { month: 'long', day: 'numeric' })),
    }
    const on =
      days.kind === 'weekdays' || days.kind === 'month'
        ? told[days.kind](days.days)
        : days.kind === 'year'
          ? told.year(days.month, days.day)
          : told[days.kind]()
    return `${words.at(on, all(meaning.times))} (${zone})`
  }
}

/** In words, with the pattern beneath where the words stand for one. */
export function When({ of: schedule }: { of: Pick<Schedule, 'timing' | 'time_zone'> }) {
  const words = useTimingWords()(schedule.timing, schedule.time_zone)
  const { cron } = schedule.timing
  const written = cron && meaningOf(cron) !== undefined
  return (
    <span className="name when">
      <span>
        <Name of={words} />
      </span>
      {written && (
        <span className="mono muted">
          <Name of={cron} />
        </span>
      )}
    </span>
  )
}

export function inZone(moment: string, zone: string, language: Language): string {
  const to: Intl.DateTimeFormatOptions = moment.slice(17, 19) === '00' ? {} : { second: '2-digit' }
  return new Intl.DateTimeFormat(language, {
    weekday: 'short',
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    ...to,
    hourCycle: 'h23',
    timeZone: knownZone(zone),
    timeZoneName: 'short',
  }).format(new Date(moment))
}

/** A moment as the schedule's own clock shows it, and as the viewer's does where that is another. */
export function TickTime({ at, zone, both }: { at: string; zone: string; both?: boolean }) {
  const text = useText()
  const [language] = useLanguage()
  const theirs = inZone(at, zone, language)
  const yours = inZone(at, ownZone(), language)
  return (
    <span className="tick-time">
      <time className="time" dateTime={at} title={yours}>
        {theirs}
      </time>
      {both && yours !== theirs && <small className="muted">{text.schedules.yours(yours)}</small>}
    </span>
  )
}

export function TickList({ of: ticks, zone, label }: { of: string[]; zone: string; label: string }) {
  return (
    <ol className="ticks" aria-label={label}>
      {ticks.map((at) => (
        <li key={at}>
          <TickTime at={at} zone={zone} both />
        </li>
      ))}
    </ol>
  )
}

/** What a refusal of a tick means and what to do about it. */
export function useCodeWords(): (code: string) => string {
  const { codes, otherCode } = useText().schedules
  return (code) => (codes as Record<string, string>)[code] ?? otherCode(code)
}
