import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { answered, api } from '../../api/client'
import { indented } from '../../api/json-text'
import { queries } from '../../api/queries'
import type { WholeRun } from '../../api/types'
import { Equivalent } from '../../components/equivalent'
import { FactProof } from '../../components/evidence'
import { FactTable } from '../../components/facts'
import { Chain, Chip, Id } from '../../components/identity'
import { Log, Outcome, useLiveRun } from '../../components/live-run'
import { isOver, took } from '../../components/runs'
import { useChange } from '../../hooks/change'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { CodeBlock, Copyable, shortId } from '../../ui/copy'
import { Empty, Failure, PageHeader, Properties, Section, Skeleton } from '../../ui/page'
import { Status } from '../../ui/status'
import { Tabs } from '../../ui/tabs'
import { Duration, Time } from '../../ui/time'

const route = getRouteApi('/shell/runs/$run')

export default function RunPage() {
  const text = useText()
  const { run: id } = route.useParams()
  const { tab = 'result' } = route.useSearch()
  const live = useLiveRun(id)
  const query = live.run
  const cancel = useChange((_: undefined, key) =>
    answered(
      api.POST('/api/v1/runs/{run}/cancel', {
        params: { path: { run: id }, header: { 'Idempotency-Key': key } },
      }),
    ),
  )
  const principal = query.data?.principal.id
  const mayCancel = useReason('runs:update', {
    of: { selector: id, ...(principal && { owner: principal }) },
  })
  const above = <Link to={paths.runs}>{text.place.runs}</Link>
  if (!query.data) {
    return (
      <>
        <PageHeader title={text.kinds.run} above={above} />
        {query.isError ? (
          <Failure error={query.error} onRetry={() => void query.refetch()} />
        ) : (
          <Skeleton lines={8} />
        )}
      </>
    )
  }
  const run = query.data
  return (
    <>
      <PageHeader
        title={shortId(run.id)}
        name={run.id}
        above={above}
        state={<Status of={run.status} />}
        detail={<Copyable value={run.id} />}
        actions={
          !isOver(run) && (
            <Button
              icon="stop"
              busy={cancel.isPending}
              reason={mayCancel}
              onClick={() => cancel.mutate(undefined)}
            >
              {text.runs.cancel}
            </Button>
          )
        }
      />
      {cancel.error && <Failure error={cancel.error} />}
      <div className="chain-line">
        <Chain of={[{ kind: 'function', id: run.function }, run.principal]} />
      </div>
      <Tabs
        label={text.runs.parts}
        current={tab}
        of={[
          { id: 'result', label: text.functions.result },
          { id: 'log', label: text.runs.log },
          { id: 'evidence', label: text.runs.evidence },
        ]}
      />
      {tab === 'result' && <Result of={run} />}
      {tab === 'log' && <Log live={live} />}
      {tab === 'log' && run.logs_truncated && <p className="muted">{text.runs.cut}</p>}
      {tab === 'evidence' && <Evidence of={run} />}
      {!isOver(run) && (
        <Equivalent
          method="POST"
          path={`/api/v1/runs/${run.id}/cancel`}
          cli={`safeconduct runs cancel ${run.id}`}
        />
      )}
    </>
  )
}

function Result({ of: run }: { of: WholeRun }) {
  const text = useText()
  return (
    <div className="columns">
      <div>
        <Section title={text.runs.output}>
          <Outcome of={run} />
          {!run.error && run.status !== 'succeeded' && (
            <p className="muted">{isOver(run) ? text.runs.noOutput : text.runs.waiting}</p>
          )}
        </Section>
        <Section title={text.runs.input}>
          <CodeBlock code={run.input ? indented(run.input) : '–'} label={text.runs.input} wrap />
        </Section>
      </div>
      <Section title={text.kinds.run}>
        <Properties
          of={[
            [text.runs.fn, <Chip key="f" of={{ kind: 'function', id: run.function }} />],
            [text.version, <Id key="v" of={run.version} />],
            [text.runs.trigger, text.runs.triggers[run.trigger]],
            [
              text.runs.attempt,
              <span key="a" className="mono">
                {run.attempts}
              </span>,
            ],
            [text.runs.queued, <Time key="q" at={run.queued_at} />],
            [text.runs.started, <Time key="s" at={run.started_at} />],
            [text.runs.ended, <Time key="e" at={run.ended_at} />],
            [
              text.runs.waited,
              <Duration
                key="w"
                ms={run.started_at ? Date.parse(run.started_at) - Date.parse(run.queued_at) : undefined}
              />,
            ],
            [text.runs.took, <Duration key="t" ms={took(run)} />],
            [text.runs.cpu, <Duration key="c" ms={run.usage?.cpu_ms} />],
            [text.runs.memory, <Bytes key="m" of={run.usage?.peak_memory} />],
          ]}
        />
      </Section>
    </div>
  )
}

function Bytes({ of }: { of: number | undefined }) {
  return of === undefined ? '–' : <span className="mono">{(of / 1_048_576).toFixed(1)} MB</span>
}

/** The facts that the run left, each with who acted on whose behalf, and the proof that its end stands in the log. */
function Evidence({ of: run }: { of: WholeRun }) {
  const text = useText()
  // The list follows the ledger by a moment.
  const facts = useInfiniteQuery({
    ...queries.facts({ run: run.id }),
    refetchInterval: ({ state }) => (isOver(run) && state.data?.pages[0]?.items.length === 0 ? 1_000 : false),
  })
  const found = facts.data?.pages.flatMap((page) => page.items)
  const end = found?.find((fact) => fact.kind.startsWith('run.'))
  return (
    <>
      <Section title={text.runs.facts}>
        <FactTable
          query={facts}
          empty={<Empty icon="audit" title={isOver(run) ? text.runs.factPending : text.runs.factLater} />}
        />
      </Section>
      {end && (
        <Section title={text.audit.proof}>
          <FactProof id={end.id} />
        </Section>
      )}
    </>
  )
}
