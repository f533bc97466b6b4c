import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { queries } from '../../api/queries'
import type { ScheduleSummary } from '../../api/types'
import { Chip } from '../../components/identity'
import { TickTime, useCodeWords, When } from '../../components/timing'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { FilterBar } from '../../table/filters'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Name, shown } from '../../ui/name'
import { Empty, PageHeader } from '../../ui/page'
import { Status } from '../../ui/status'
import { Time } from '../../ui/time'

const route = getRouteApi('/shell/schedules')

const states = ['active', 'paused', 'ended'] as const

export default function Schedules() {
  const text = useText()
  const navigate = useNavigate()
  const filters = route.useSearch()
  const query = useInfiniteQuery({ ...queries.schedules(filters), refetchInterval: 10_000 })
  const codeWords = useCodeWords()
  const columns: Column<ScheduleSummary>[] = [
    {
      id: 'name',
      head: text.schedules.name,
      cell: (schedule) => (
        <span className="name">
          <span>
            <Name of={schedule.name} />
          </span>
          {schedule.description && <span className="muted truncate">{shown(schedule.description)}</span>}
        </span>
      ),
    },
    {
      id: 'state',
      head: text.statusHead,
      cell: (schedule) => (
        <span className="name">
          <span className="statuses">
            <Status of={schedule.state} />
            {schedule.refusal && (
              <Status of="refused" label={`${text.status.refused}: ${schedule.refusal}`} />
            )}
          </span>
          {schedule.refusal && <span className="muted wide break">{codeWords(schedule.refusal)}</span>}
        </span>
      ),
    },
    { id: 'when', head: text.schedules.when, cell: (schedule) => <When of={schedule} />, wide: true },
    {
      id: 'function',
      head: text.schedules.fn,
      cell: (schedule) => (
        <Chip
          of={{
            kind: 'function',
            id: schedule.function,
            display: schedule.function_name.replace('/', ':'),
          }}
        />
      ),
      wide: true,
    },
    { id: 'next', head: text.schedules.next, cell: (schedule) => <Next of={schedule} />, right: true },
  ]
  const filtered = Object.values(filters).some(Boolean)
  return (
    <>
      <PageHeader
        title={text.place.schedules}
        detail={text.schedules.detail}
        actions={
          <Button
            look="primary"
            icon="plus"
            reason={useReason('schedules:create')}
            onClick={() => void navigate({ to: paths.newSchedule })}
          >
            {text.schedules.create}
          </Button>
        }
      />
      <FilterBar
        values={filters}
        of={[
          { name: 'q', label: text.schedules.search, kind: 'search' },
          { name: 'state', label: text.statusHead, options: states.map((id) => [id, text.status[id]]) },
          { name: 'function', label: text.schedules.fn, find: ['function'] },
        ]}
      />
      <Listing
        label={text.place.schedules}
        query={query}
        columns={columns}
        rowId={(schedule) => schedule.id}
        rowPath={(schedule) => paths.schedule(schedule.id)}
        empty={
          filtered ? (
            <Empty icon="search" title={text.nothingMatches} />
          ) : (
            <Empty
              icon="clock"
              title={text.schedules.none}
              example="safeconduct schedules create 'nightly report' demo:double --cron '0 2 * * *' --zone Europe/Berlin"
            >
              {text.schedules.noneDetail}
            </Empty>
          )
        }
      />
    </>
  )
}

/** How soon, and at what time of its own zone. */
function Next({ of: { next, time_zone } }: { of: ScheduleSummary }) {
  const [at] = next
  if (at === undefined) return <span className="muted">–</span>
  return (
    <span className="name">
      <Time at={at} />
      <span className="muted wide">
        <TickTime at={at} zone={time_zone} />
      </span>
    </span>
  )
}
