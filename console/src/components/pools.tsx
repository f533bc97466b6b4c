import { useInfiniteQuery } from '@tanstack/react-query'
import { answered, api } from '../api/client'
import { queries } from '../api/queries'
import type { WarmInterpreter } from '../api/types'
import { useChange } from '../hooks/change'
import { useReason } from '../hooks/rights'
import { type Column, Listing } from '../table/listing'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Empty, Failure, Section } from '../ui/page'
import { Status } from '../ui/status'
import { Duration } from '../ui/time'
import { Equivalent } from './equivalent'
import { Chip } from './identity'

/** Interpreters that the server which answers keeps warm; for operators. */
export function Pools() {
  const text = useText()
  const query = useInfiniteQuery({ ...queries.pools(), refetchInterval: 5_000 })
  const mayRecycle = useReason('system:update')
  const recycle = useChange((_: undefined, key) =>
    answered(api.POST('/api/v1/pools/recycle', { body: {}, params: { header: { 'Idempotency-Key': key } } })),
  )
  const columns: Column<WarmInterpreter>[] = [
    {
      id: 'function',
      head: text.runs.fn,
      cell: (one) => <Chip of={{ kind: 'function', id: one.function }} />,
    },
    { id: 'status', head: text.statusHead, cell: ({ status }) => <Status of={status} /> },
    {
      id: 'calls',
      head: text.queues.calls,
      cell: ({ calls }) => <span className="mono">{calls}</span>,
      right: true,
    },
    {
      id: 'age',
      head: text.queues.age,
      cell: ({ age_seconds }) => <Duration ms={age_seconds * 1000} />,
      right: true,
      wide: true,
    },
    {
      id: 'memory',
      head: text.queues.memory,
      cell: ({ memory }) => (
        <span className="mono">
          {memory === null || memory === undefined ? '–' : `${(memory / 1e6).toFixed(1)} MB`}
        </span>
      ),
      right: true,
      wide: true,
    },
  ]
  return (
    <Section
      title={text.queues.warm}
      actions={
        <Button busy={recycle.isPending} reason={mayRecycle} onClick={() => recycle.mutate(undefined)}>
          {text.queues.recycle}
        </Button>
      }
    >
      <p className="muted">{text.queues.warmDetail}</p>
      {recycle.error && <Failure error={recycle.error} />}
      <Listing
        label={text.queues.warm}
        query={query}
        columns={columns}
        rowId={(one) => `${one.organization} ${one.version}`}
        empty={<Empty icon="queue" title={text.queues.noneWarm} example="safeconduct pools list" />}
      />
      <Equivalent
        method="POST"
        path="/api/v1/pools/recycle"
        body={{}}
        act={text.queues.recycle}
        cli="safeconduct pools recycle"
      />
    </Section>
  )
}
