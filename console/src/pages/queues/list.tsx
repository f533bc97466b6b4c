import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { queries } from '../../api/queries'
import type { Queue } from '../../api/types'
import { Equivalent, quoted } from '../../components/equivalent'
import { LetterActs } from '../../components/run-acts'
import { RunTable } from '../../components/runs'
import { paths } from '../../paths'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Name } from '../../ui/name'
import { Empty, Failure, PageHeader, Section } from '../../ui/page'
import { Time } from '../../ui/time'

const route = getRouteApi('/shell/queues')

export default function Queues() {
  const text = useText()
  const { queue } = route.useSearch()
  const query = useInfiniteQuery({ ...queries.queues(), refetchInterval: 5_000 })
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
    ...(['ready', 'rated', 'delayed', 'running', 'dead'] as const).map((state) => ({
      id: state,
      head: text.queues[state],
      cell: (row: Queue) => <span className="mono">{row[state]}</span>,
      right: true,
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
    </>
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
