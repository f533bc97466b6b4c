import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { Page, Run } from '../api/types'
import { useName } from '../hooks/names'
import { paths } from '../paths'
import { type Column, Listing } from '../table/listing'
import { useText } from '../text'
import { shortId } from '../ui/copy'
import { Name } from '../ui/name'
import { Empty } from '../ui/page'
import { Status } from '../ui/status'
import { Duration, Time } from '../ui/time'
import { Chip } from './identity'

interface RunTableProps {
  query: UseInfiniteQueryResult<InfiniteData<Page<Run>>>
  limit?: number
  /** For summaries: fewer columns. */
  brief?: boolean
  empty?: ReactNode
  /** What can be done to each; on a phone that is done on its page. */
  acts?: (run: Run) => ReactNode
}

export function RunTable({ query, limit, brief, empty, acts }: RunTableProps) {
  const text = useText()
  const columns: (Column<Run> | false)[] = [
    { id: 'run', head: text.runs.run, cell: (run) => <RunName of={run} /> },
    { id: 'status', head: text.statusHead, cell: (run) => <Status of={run.status} /> },
    {
      id: 'function',
      head: text.runs.fn,
      cell: (run) => <Chip of={{ kind: 'function', id: run.function }} />,
      wide: true,
    },
    !brief && {
      id: 'principal',
      head: text.runs.principal,
      cell: (run) => <Chip of={run.principal} />,
      wide: true,
    },
    !brief && {
      id: 'trigger',
      head: text.runs.trigger,
      cell: (run) => text.runs.triggers[run.trigger],
      wide: true,
    },
    !brief && {
      id: 'took',
      head: text.runs.took,
      cell: (run) => <Duration ms={took(run)} />,
      wide: true,
      right: true,
    },
    { id: 'queued', head: text.runs.queued, cell: (run) => <Time at={run.queued_at} />, right: true },
    acts !== undefined && { id: 'acts', head: '', cell: acts, wide: true, right: true },
  ]
  return (
    <Listing
      label={text.place.runs}
      query={query}
      columns={columns.filter((column) => column !== false)}
      rowId={(run) => run.id}
      rowPath={(run) => paths.run(run.id)}
      {...(limit !== undefined && { limit })}
      empty={
        empty ?? (
          <Empty icon="run" title={text.runs.none} example="safeconduct quickstart">
            {text.runs.noneDetail}
          </Empty>
        )
      }
    />
  )
}

/** Where there is no room for more columns, the function stands beneath: the id alone tells nobody what ran. */
function RunName({ of: run }: { of: Run }) {
  const name = useName(run.function)
  return (
    <span className="name">
      <span className="mono">{shortId(run.id)}</span>
      {name && (
        <span className="narrow muted break">
          <Name of={name} />
        </span>
      )}
    </span>
  )
}

/** Milliseconds from start to end, once both are known. */
export function took(run: Pick<Run, 'started_at' | 'ended_at'>): number | undefined {
  if (!run.started_at || !run.ended_at) return undefined
  return Date.parse(run.ended_at) - Date.parse(run.started_at)
}

const OVER = new Set(['succeeded', 'failed', 'cancelled', 'timed_out', 'dead'])

export function isOver(run: Pick<Run, 'status'>): boolean {
  return OVER.has(run.status)
}
