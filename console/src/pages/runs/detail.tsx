import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { indented } from '../../api/json-text'
import { queries } from '../../api/queries'
import type { Fact, Page, WholeRun } from '../../api/types'
import { FactProof } from '../../components/evidence'
import { FactTable } from '../../components/facts'
import { Chain, Chip, Id } from '../../components/identity'
import { Far, Log, Outcome, useLiveRun } from '../../components/live-run'
import { Question } from '../../components/question'
import { RunActs, RunEquivalents } from '../../components/run-acts'
import { isOver, RunTable, took } from '../../components/runs'
import { paths } from '../../paths'
import { useText } from '../../text'
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
  const [refusal, setRefusal] = useState<{ of: string; error: unknown }>()
  const asked = useInfiniteQuery({
    ...queries.runs({ parent: id }),
    refetchInterval: query.data && !isOver(query.data) ? 5_000 : false,
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
  // Until they are read, those of the run before stand in their place.
  const hasAsked = !asked.isPlaceholderData && asked.data?.pages.some((page) => page.items.length > 0)
  return (
    <>
      <PageHeader
        title={shortId(run.id)}
        name={run.id}
        above={above}
        state={<Status of={run.status} />}
        detail={<Copyable value={run.id} />}
        actions={<RunActs key={id} of={run} onRefused={(error) => setRefusal({ of: id, error })} />}
      />
      {refusal?.of === id && refusal.error !== undefined && <Failure error={refusal.error} />}
      <div className="chain-line">
        <Chain of={[{ kind: 'function', id: run.function }, run.principal]} />
      </div>
      <Far of={run} />
      <Question of={run} />
      <Tabs
        label={text.runs.parts}
        current={tab}
        of={[
          { id: 'result', label: text.functions.result },
          { id: 'log', label: text.runs.log },
          { id: 'evidence', label: text.runs.evidence },
          ...(hasAsked || tab === 'asked' ? [{ id: 'asked', label: text.queues.askedFor }] : []),
        ]}
      />
      {tab === 'result' && <Result of={run} />}
      {tab === 'log' && <Log live={live} />}
      {tab === 'log' && run.logs_truncated && <p className="muted">{text.runs.cut}</p>}
      {tab === 'evidence' && <Evidence of={run} />}
      {tab === 'asked' && <RunTable query={asked} />}
      <RunEquivalents of={run} />
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
            [
              text.runs.trigger,
              run.trigger === 'schedule' && run.trigger_id ? (
                <Chip key="g" of={{ kind: 'schedule', id: run.trigger_id }} />
              ) : (
                text.runs.triggers[run.trigger]
              ),
            ],
            ...given(text.queues.parent, run.parent && <Chip of={{ kind: 'run', id: run.parent }} />),
            ...given(text.queues.replayOf, run.replay_of && <Chip of={{ kind: 'run', id: run.replay_of }} />),
            ...given(
              text.queues.priority,
              run.priority !== 0 && <span className="mono">{run.priority}</span>,
            ),
            [text.queues.attempts, text.queues.attemptsOf(run.attempts, run.max_attempts)],
            [text.runs.queued, <Time key="q" at={run.queued_at} />],
            ...given(text.queues.notBefore, run.due_at && <Time at={run.due_at} />),
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

/** A line of its own, if there is something to say. */
function given(name: string, value: ReactNode): [string, ReactNode][] {
  return value ? [[name, value]] : []
}

function Bytes({ of }: { of: number | undefined }) {
  return of === undefined ? '–' : <span className="mono">{(of / 1_048_576).toFixed(1)} MB</span>
}

/** The facts that the run left, each with who acted on whose behalf, and the proof that its end stands in the log. */
function Evidence({ of: run }: { of: WholeRun }) {
  const text = useText()
  const facts = useInfiniteQuery({
    ...queries.facts({ run: run.id }),
    // The list follows the ledger by a moment.
    refetchInterval: ({ state }) => (isOver(run) && state.data && !endOf(run, state.data) ? 1_000 : false),
  })
  const end = facts.data && endOf(run, facts.data)
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

/** The fact of its last end: what was tried again has more than one, and what was put aside a later fact. */
function endOf(run: WholeRun, { pages }: { pages: Page<Fact>[] }): Fact | undefined {
  const own = pages.flatMap((page) => page.items).filter(({ kind }) => kind.startsWith('run.'))
  const last = own.find(({ kind }) => kind !== 'run.flushed')
  return last?.kind === `run.${run.status}` ? last : undefined
}
