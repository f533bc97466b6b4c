import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { queries } from '../../api/queries'
import type { Queue, Worker } from '../../api/types'
import { Equivalent, quoted } from '../../components/equivalent'
import { Pools } from '../../components/pools'
import { LetterActs } from '../../components/run-acts'
import { RunTable } from '../../components/runs'
import { paths } from '../../paths'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { shortId } from '../../ui/copy'
import { Name } from '../../ui/name'
import { Empty, Failure, PageHeader, Section } from '../../ui/page'
import { Status } from '../../ui/status'
import { Time } from '../../ui/time'

const route = getRouteApi('/shell/queues')

export default function Queues() {
  const text = useText()
  const { queue } = route.useSearch()
  const query = useInfiniteQuery({ ...queries.queues(), refetchInterval: 5_000 })
  // They belong to the instance; whoever may not see it has no use for the section.
  const held = useQuery(queries.me()).data?.permissions
  const maySeeWorkers = held?.some((permission) => /^system:(\*|read)(:all)?$/.test(permission))
  const chosen = queue ?? query.data?.pages[0]?.items[0]?.name ?? 'function'
  const columns: Column<Queue>[] = [
    {
      id: 'name',
      head: text.queues.queue,
      cell: ({ name }) => (
        <Link
          className="row-link mono"
          to={paths.queues}
          search={{ queue: name }}
          aria-current={name === chosen ? 'true' : undefined}
        >
          <Name of={name} />
        </Link>
      ),
    },
    ...(['ready', 'rated', 'delayed', 'running', 'awaiting', 'dead'] as const).map((state) => ({
      id: state,
      head: text.queues[state],
      cell: (row: Queue) => <span className="mono">{row[state]}</span>,
      right: true,
      wide: state === 'rated' || state === 'awaiting',
    })),
    {
      id: 'oldest',
      head: text.queues.oldest,
      cell: (row) => <Time at={row.oldest_ready_at} />,
      right: true,
      wide: true,
    },
  ]
  return (
    <>
      <PageHeader title={text.place.queues} detail={text.queues.detail} />
      <Listing
        label={text.place.queues}
        query={query}
        columns={columns}
        rowId={(row) => row.name}
        empty={
          <Empty icon="queue" title={text.queues.idle} example="safeconduct queues list">
            {text.queues.idleDetail}
          </Empty>
        }
      />
      {!(query.isError && !query.data) && <Letters key={chosen} of={chosen} />}
      {maySeeWorkers && <Workers />}
      {maySeeWorkers && <Pools />}
    </>
  )
}

function Workers() {
  const text = useText()
  const query = useInfiniteQuery({ ...queries.workers(), refetchInterval: 5_000 })
  const columns: Column<Worker>[] = [
    { id: 'worker', head: text.queues.worker, cell: ({ id }) => <span className="mono">{shortId(id)}</span> },
    { id: 'status', head: text.statusHead, cell: ({ status }) => <Status of={status} /> },
    { id: 'machine', head: text.queues.machine, cell: ({ name }) => <Name of={name} />, wide: true },
    {
      id: 'busy',
      head: text.queues.busy,
      cell: ({ running, slots }) => <span className="mono">{text.queues.busyOf(running, slots)}</span>,
      right: true,
    },
    {
      id: 'heard',
      head: text.queues.heard,
      cell: ({ seen_at }) => <Time at={seen_at} />,
      right: true,
      wide: true,
    },
  ]
  return (
    <Section title={text.queues.workers}>
      <p className="muted">{text.queues.workersDetail}</p>
      <Listing
        label={text.queues.workers}
        query={query}
        columns={columns}
        rowId={({ id }) => id}
        empty={
          <Empty icon="queue" title={text.queues.noWorkers} example="safeconduct worker">
            {text.queues.noWorkersDetail}
          </Empty>
        }
      />
      <Equivalent method="GET" path="/api/v1/workers" cli="safeconduct workers list" />
    </Section>
  )
}

function Letters({ of: queue }: { of: string }) {
  const text = useText()
  const query = useInfiniteQuery({ ...queries.deadLetters(queue), refetchInterval: 5_000 })
  const [refusal, setRefusal] = useState<unknown>()
  return (
    <Section title={text.queues.letters(queue)}>
      {refusal !== undefined && <Failure error={refusal} />}
      <RunTable
        query={query}
        acts={(run) => <LetterActs of={run} onRefused={setRefusal} />}
        empty={
          <Empty icon="check" title={text.queues.noLetters}>
            {text.queues.letter}
          </Empty>
        }
      />
      <Equivalent
        method="GET"
        path={`/api/v1/queues/${encodeURIComponent(queue)}/dead`}
        cli={`safeconduct queues dead ${quoted(queue)}`}
      />
    </Section>
  )
}
