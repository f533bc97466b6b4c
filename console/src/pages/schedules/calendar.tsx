import { useQuery } from '@tanstack/react-query'
import { Fragment } from 'react'
import { queries } from '../../api/queries'
import type { Schedule, ScheduleTick } from '../../api/types'
import { TickList } from '../../components/timing'
import { previewOfSchedule } from '../../forms/schedule-draft'
import { knownZone, wallOf } from '../../forms/zoned'
import { useNow } from '../../hooks/now'
import { useLanguage, useText } from '../../text'
import { Failure, Section, Skeleton } from '../../ui/page'
import { Status } from '../../ui/status'

type Outcome = ScheduleTick['outcome']

const OUTCOMES: Outcome[] = ['ran', 'skipped', 'missed', 'refused']
/** The most that the server tells ahead. */
const AHEAD = 100
/** The week before, this one and four more, so that a month lies ahead on every day. */
const WEEKS = 6
const DAY = 86_400_000

/** A month ahead with its ticks, and what became of those behind; days are those of the schedule's own zone. */
export function Calendar({ of: schedule }: { of: Schedule }) {
  const text = useText()
  const now = useNow()
  const zone = knownZone(schedule.time_zone)
  const active = schedule.state === 'active'
  const body = { ...previewOfSchedule(schedule), count: AHEAD }
  const ahead = useQuery({ ...queries.preview(body, schedule.next[0]), enabled: active })
  const past = useQuery(queries.recentTicks(schedule.id))
  const failed = [ahead, past].find((query) => query.isError)
  if (failed) return <Failure error={failed.error} onRetry={() => void failed.refetch()} />
  if (!past.data || (active && !ahead.data)) return <Skeleton lines={8} />
  const ticks = active ? (ahead.data ?? []) : []
  const more = ticks.length === AHEAD
  return (
    <>
      <Section title={text.schedules.inZone(schedule.time_zone)}>
        <Month
          days={daysAround(now, zone)}
          today={wallOf(new Date(now).toISOString(), zone).slice(0, 10)}
          ahead={byDay(ticks, (at) => at, zone)}
          past={byDay(past.data, ({ tick }) => tick, zone)}
          zone={zone}
        />
        <p className="statuses">
          {OUTCOMES.map((outcome) => (
            <Status key={outcome} of={outcome} />
          ))}
          <Status of="queued" label={text.schedules.toCome} />
        </p>
      </Section>
      <Section title={text.schedules.nextTicks}>
        <p className="muted">
          {active
            ? more
              ? text.schedules.aheadFirst(ticks.length)
              : ticks.length > 0
                ? text.schedules.aheadAll(ticks.length)
                : text.schedules.noNext
            : text.schedules.notActive}
        </p>
        {ticks.length > 0 && (
          <details>
            <summary>{text.schedules.asList}</summary>
            <TickList of={ticks} zone={schedule.time_zone} label={text.schedules.nextTicks} />
          </details>
        )}
      </Section>
    </>
  )
}

interface MonthProps {
  days: string[]
  today: string
  ahead: Map<string, string[]>
  past: Map<string, ScheduleTick[]>
  zone: string
}

function Month({ days, today, ahead, past, zone }: MonthProps) {
  const text = useText()
  const [language] = useLanguage()
  const written = (day: string, options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(language, { ...options, timeZone: 'UTC' }).format(Date.parse(day))
  return (
    <table className="calendar">
      <caption className="visually-hidden">{text.schedules.calendar}</caption>
      <thead>
        <tr>
          {days.slice(0, 7).map((day) => (
            <th key={day} scope="col" abbr={written(day, { weekday: 'long' })}>
              {written(day, { weekday: 'short' })}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {days
          .filter((_, at) => at % 7 === 0)
          .map((monday, week) => (
            <tr key={monday}>
              {days.slice(week * 7, week * 7 + 7).map((day) => (
                <td key={day} aria-current={day === today ? 'date' : undefined}>
                  <time dateTime={day}>
                    <span aria-hidden="true">
                      {day === days[0] || day.endsWith('-01')
                        ? written(day, { day: 'numeric', month: 'short' })
                        : written(day, { day: 'numeric' })}
                    </span>
                    <span className="visually-hidden">
                      {written(day, { dateStyle: 'long' })}
                      {day === today && `, ${text.schedules.today}`}
                    </span>
                  </time>
                  <Past of={past.get(day) ?? []} />
                  <Ahead of={ahead.get(day) ?? []} zone={zone} />
                </td>
              ))}
            </tr>
          ))}
      </tbody>
    </table>
  )
}

function Past({ of: ticks }: { of: ScheduleTick[] }) {
  const text = useText()
  return OUTCOMES.map((outcome) => {
    const count = ticks.filter((tick) => tick.outcome === outcome).length
    return (
      count > 0 && (
        <Fragment key={outcome}>
          <Status of={outcome} label={String(count)} />
          <span className="visually-hidden">{text.status[outcome]}</span>
        </Fragment>
      )
    )
  })
}

/** The first times of a day; where there is no room, only how many. */
function Ahead({ of: ticks, zone }: { of: string[]; zone: string }) {
  const text = useText()
  if (ticks.length === 0) return null
  const rest = ticks.length - 2
  return (
    <span className="ahead">
      {ticks.slice(0, 2).map((at) => (
        <time key={at} className="mono wide" dateTime={at}>
          {wallOf(at, zone).slice(11).replace(/:00$/, '')}
        </time>
      ))}
      {rest > 0 && <span className="muted wide">+{rest}</span>}
      <span className="narrow">
        <Status of="queued" label={String(ticks.length)} />
      </span>
      <span className="visually-hidden">{text.schedules.toCome}</span>
    </span>
  )
}

/** Dates from the Monday of last week on. */
function daysAround(now: number, zone: string): string[] {
  const today = Date.parse(wallOf(new Date(now).toISOString(), zone).slice(0, 10))
  const sinceMonday = (new Date(today).getUTCDay() + 6) % 7
  const first = today - (sinceMonday + 7) * DAY
  return Array.from({ length: WEEKS * 7 }, (_, at) => new Date(first + at * DAY).toISOString().slice(0, 10))
}

function byDay<T>(of: T[], at: (one: T) => string, zone: string): Map<string, T[]> {
  const days = new Map<string, T[]>()
  for (const one of of) {
    const day = wallOf(at(one), zone).slice(0, 10)
    days.set(day, [...(days.get(day) ?? []), one])
  }
  return days
}
