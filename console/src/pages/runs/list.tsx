import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { queries } from '../../api/queries'
import { RunTable } from '../../components/runs'
import { FilterBar } from '../../table/filters'
import { useText } from '../../text'
import { Empty, PageHeader } from '../../ui/page'

const route = getRouteApi('/shell/runs')

const statuses = [
  'queued',
  'running',
  'awaiting_input',
  'succeeded',
  'failed',
  'cancelled',
  'timed_out',
  'dead',
] as const

export default function Runs() {
  const text = useText()
  const filters = route.useSearch()
  const query = useInfiniteQuery({ ...queries.runs(filters), refetchInterval: 5_000 })
  const filtered = Object.values(filters).some(Boolean)
  return (
    <>
      <PageHeader title={text.place.runs} detail={text.runs.detail} />
      <FilterBar
        values={filters}
        of={[
          { name: 'status', label: text.statusHead, options: statuses.map((id) => [id, text.status[id]]) },
          { name: 'function', label: text.runs.fn, find: ['function'] },
          { name: 'agent', label: text.kinds.agent, find: ['agent'] },
        ]}
      />
      <RunTable
        query={query}
        empty={filtered ? <Empty icon="search" title={text.nothingMatches} /> : undefined}
      />
    </>
  )
}
