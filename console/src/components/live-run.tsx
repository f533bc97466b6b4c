import { type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { answered, api } from '../api/client'
import { indented } from '../api/json-text'
import { queries } from '../api/queries'
import type { LogLine, WholeRun } from '../api/types'
import { type Stream, useEvents } from '../hooks/events'
import { paths } from '../paths'
import { useText } from '../text'
import { CodeBlock } from '../ui/copy'
import { Name } from '../ui/name'
import { Failure, Skeleton } from '../ui/page'
import { Status } from '../ui/status'
import { Duration } from '../ui/time'
import { Question } from './question'
import { isOver, took } from './runs'

export interface LiveRun {
  id: string
  run: UseQueryResult<WholeRun>
  lines: LogLine[]
  stream: Stream
}

/**
 * A run with its log: followed while it goes on, read once it is over. One stream only, as a browser opens six connections
 * to a server for all its tabs; what the log does not tell of the run's state is asked for.
 */
export function useLiveRun(id: string): LiveRun {
  const client = useQueryClient()
  const run = useQuery({
    ...queries.run(id),
    refetchInterval: ({ state }) => (state.data && !isOver(state.data) ? 1_000 : false),
  })
  const over = run.data ? isOver(run.data) : undefined
  const [streamed, setStreamed] = useState<{ of: string; lines: LogLine[] }>({ of: id, lines: [] })
  const again = () => void client.invalidateQueries({ queryKey: ['runs'] })
  const stream = useEvents(
    over === false ? `/api/v1/runs/${id}/logs` : undefined,
    ['line', 'end'],
    (event) => {
      if (event.type === 'end') return again()
      const line = JSON.parse(event.data) as LogLine
      setStreamed((was) => {
        const lines = was.of === id ? was.lines : []
        // A run that was tried again is told from its first line, of which some are here already.
        return line.number > (lines.at(-1)?.number ?? -1) ? { of: id, lines: [...lines, line] } : was
      })
    },
    again,
  )
  const stored = useQuery({
    queryKey: ['runs', id, 'log'],
    queryFn: () => wholeLog(id),
    enabled: over === true,
  })
  const lines = (over ? stored.data : undefined) ?? (streamed.of === id ? streamed.lines : [])
  return { id, run, lines, stream }
}

async function wholeLog(run: string): Promise<LogLine[]> {
  const lines: LogLine[] = []
  let cursor: string | null | undefined
  do {
    const query = { limit: 200, ...(cursor && { cursor }) }
    const page = await answered(api.GET('/api/v1/runs/{run}/logs', { params: { path: { run }, query } }))
    lines.push(...page.items)
    cursor = page.next_cursor
  } while (cursor && lines.length < 10_000)
  return lines
}

/** State, log and what came out. */
export function RunResult({ live }: { live: LiveRun }) {
  const text = useText()
  const { run } = live
  if (!run.data)
    return run.isError ? <Failure error={run.error} onRetry={() => void run.refetch()} /> : <Skeleton />
  return (
    <>
      <p className="run-line">
        <Status of={run.data.status} />
        <Duration ms={took(run.data)} />
        <Link to={paths.run(run.data.id)} search={{ tab: 'evidence' }}>
          {text.runs.toEvidence}
        </Link>
      </p>
      <Far of={run.data} />
      <Question of={run.data} />
      <Log live={live} />
      <Outcome of={run.data} />
    </>
  )
}

/** How far a run says it is; without a fraction only its words. */
export function Far({ of: run }: { of: WholeRun }) {
  const text = useText()
  const { fraction, message } = run.progress ?? {}
  if (!run.progress) return null
  return (
    <div className="far">
      {fraction !== undefined && fraction !== null && (
        <>
          <progress aria-label={text.queues.progress} value={fraction} max={1} />
          <span className="mono">{Math.floor(fraction * 100)} %</span>
        </>
      )}
      {message && <Name of={message} />}
    </div>
  )
}

export function Outcome({ of: run }: { of: WholeRun }) {
  const text = useText()
  if (run.error) {
    const { kind, message, exception, traceback, violations = [] } = run.error
    return (
      <div className="failure" role="alert">
        <div>
          <strong>
            <Name of={exception ?? kind.replaceAll('_', ' ')} />
          </strong>
          {message && (
            <p>
              <Name of={message} as="lines" />
            </p>
          )}
          {violations.length > 0 && (
            <ul>
              {violations.map(({ field, reason }) => (
                <li key={field + reason}>
                  <code>
                    <Name of={field} />
                  </code>{' '}
                  <Name of={reason} />
                </li>
              ))}
            </ul>
          )}
          {traceback && <CodeBlock code={traceback} label={text.runs.traceback} wrap />}
        </div>
      </div>
    )
  }
  if (run.status !== 'succeeded') return null
  return run.output === undefined ? (
    <TooLarge of={run} />
  ) : (
    <CodeBlock code={indented(run.output)} label={text.runs.output} wrap />
  )
}

/** What is above a megabyte is not shown but fetched; the server hands it out as content that is not its own. */
function TooLarge({ of: run }: { of: WholeRun }) {
  const text = useText()
  return (
    <p>
      {text.runs.large(run.output_size ?? 0)}{' '}
      <a href={`/api/v1/runs/${run.id}/output`} download={`${run.id}.json`}>
        {text.runs.download}
      </a>
    </p>
  )
}

/** Lines as they come; stays at the end until somebody scrolls up. */
export function Log({ live }: { live: LiveRun }) {
  const text = useText()
  const box = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  const { lines, stream } = live
  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines are the reason to scroll
  useEffect(() => {
    if (box.current && atEnd.current) box.current.scrollTop = box.current.scrollHeight
  }, [lines.length])
  return (
    <div className="log-frame">
      <header>
        <h2>{text.runs.log}</h2>
        {stream !== 'off' && <Status of={stream === 'open' ? 'live' : stream} />}
      </header>
      <div
        ref={box}
        className="log mono"
        role="log"
        aria-label={text.runs.log}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        onScroll={({ currentTarget: at }) => {
          atEnd.current = at.scrollHeight - at.scrollTop - at.clientHeight < 24
        }}
      >
        {lines.length === 0 && (
          <p className="muted">{stream === 'off' ? text.runs.noLog : text.runs.waiting}</p>
        )}
        {lines.map((line) => (
          <div key={line.number} className={line.source}>
            <time dateTime={line.at}>{line.at.slice(11, 23)}</time>
            <span className="muted">{line.source}</span>
            <span>
              <Name of={line.text} as="lines" />
            </span>
          </div>
        ))}
      </div>
    </div>
  )
}
