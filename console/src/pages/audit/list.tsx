import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { queries } from '../../api/queries'
import type { Fact } from '../../api/types'
import { FactTable } from '../../components/facts'
import { useEvents } from '../../hooks/events'
import { FilterBar } from '../../table/filters'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Empty, PageHeader } from '../../ui/page'
import { Status } from '../../ui/status'

const route = getRouteApi('/shell/audit')

const outcomes = ['success', 'failure', 'denied'] as const
const severities = ['info', 'notice', 'warning', 'critical'] as const

export default function Audit() {
  const text = useText()
  const navigate = route.useNavigate()
  const { live, ...filters } = route.useSearch()
  const query = useInfiniteQuery(queries.facts(asked(filters)))
  const kinds = useQuery(queries.kinds())
  const { stream, fresh, forget } = useArrivals(Boolean(live))
  const filtered = Object.values(filters).some(Boolean)
  const follow = () => {
    forget()
    void navigate({ search: (all) => ({ ...all, live: (live ? undefined : '1') as string }), replace: true })
  }
  return (
    <>
      <PageHeader
        title={text.place.audit}
        detail={text.audit.detail}
        state={live && <Status of={stream === 'open' ? 'live' : stream} />}
        actions={
          <Button icon={live ? 'pause' : 'live'} aria-pressed={Boolean(live)} onClick={follow}>
            {live ? text.audit.stop : text.audit.follow}
          </Button>
        }
      />
      <FilterBar
        values={filters}
        of={[
          { name: 'q', label: text.audit.search, kind: 'search' },
          {
            name: 'kind',
            label: text.audit.kind,
            options: (kinds.data?.items ?? []).map(({ name }) => [name, name]),
          },
          {
            name: 'outcome',
            label: text.audit.outcome,
            options: outcomes.map((id) => [id, text.status[id]]),
          },
          {
            name: 'severity',
            label: text.audit.severity,
            options: severities.map((id) => [id, text.status[id]]),
            more: true,
          },
          { name: 'actor', label: text.audit.actor, find: ['user', 'agent', 'function'], more: true },
          {
            name: 'target',
            label: text.audit.target,
            find: ['user', 'agent', 'function', 'group', 'id'],
            more: true,
          },
          { name: 'run', label: text.audit.runId, more: true },
          { name: 'from', label: text.audit.from, kind: 'date', more: true },
          { name: 'to', label: text.audit.to, kind: 'date', more: true },
        ]}
      />
      <FactTable
        query={query}
        fresh={fresh}
        empty={filtered ? <Empty icon="search" title={text.nothingMatches} /> : undefined}
      />
    </>
  )
}

/** Days become the moments at which they begin and end. */
function asked({ from, to, ...rest }: Record<string, string | undefined>) {
  return { ...rest, from: from && `${from}T00:00:00.000Z`, to: to && dayAfter(to) }
}

/** The end of a day is the beginning of the next. */
function dayAfter(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00.000Z`) + 86_400_000).toISOString()
}

/** What the stream tells of is marked; the list is asked again, so that its filters stay the server's. */
function useArrivals(live: boolean) {
  const client = useQueryClient()
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined)
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set())
  const stream = useEvents(live ? '/api/v1/audit/stream' : undefined, ['fact'], (event) => {
    const { id } = JSON.parse(event.data) as Fact
    setFresh((known) => new Set(known).add(id))
    waiting.current ??= setTimeout(() => {
      waiting.current = undefined
      void client.invalidateQueries({ queryKey: ['facts'] })
    }, 250)
  })
  return { stream, fresh, forget: () => setFresh(new Set()) }
}
