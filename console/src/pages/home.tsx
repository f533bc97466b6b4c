import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { queries } from '../api/queries'
import { FactTable } from '../components/facts'
import { Chip } from '../components/identity'
import { RunTable } from '../components/runs'
import { paths } from '../paths'
import { useLanguage, useText } from '../text'
import { CodeBlock } from '../ui/copy'
import { Icon } from '../ui/icon'
import { Name } from '../ui/name'
import { PageHeader, Section } from '../ui/page'
import { Status } from '../ui/status'
import { Duration, Time } from '../ui/time'

const WEEK = 7 * 86_400_000

export default function Home() {
  const text = useText()
  const runs = useInfiniteQuery(queries.runs())
  const facts = useInfiniteQuery(queries.facts())
  return (
    <>
      <PageHeader title={text.place.home} />
      <Health />
      <FirstSteps />
      <Needs />
      <div className="columns">
        <Section title={text.home.recentRuns} actions={<Link to={paths.runs}>{text.all}</Link>}>
          <RunTable query={runs} limit={8} brief />
        </Section>
        <Section title={text.home.recentFacts} actions={<Link to={paths.audit}>{text.all}</Link>}>
          <FactTable query={facts} limit={8} brief />
        </Section>
      </div>
    </>
  )
}

/** One line that answers "is it well?": the server, its database, and whether the ledger still proves itself. */
function Health() {
  const text = useText()
  const [language] = useLanguage()
  const health = useQuery(queries.health())
  const verified = useQuery(queries.verified())
  const cells: [string, React.ReactNode][] = [
    [text.home.server, <Status key="s" of={health.isError ? 'down' : (health.data?.status ?? 'checking')} />],
    [text.home.database, health.data ? <Status key="d" of={health.data.database} /> : '–'],
    [text.home.ledger, <Status key="l" of={verdict(verified)} />],
    [
      text.home.checked,
      verified.data ? (
        <span key="c" className="mono">
          {verified.data.count.toLocaleString(language)}
        </span>
      ) : (
        '–'
      ),
    ],
    [text.home.uptime, <Duration key="u" ms={health.data && health.data.uptime_seconds * 1000} />],
    [
      text.home.version,
      <span key="v" className="mono">
        {health.data?.version ?? '–'}
      </span>,
    ],
  ]
  return (
    <dl className="health" aria-label={text.home.health}>
      {cells.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** Nothing that was checked is nothing verified. */
function verdict({
  data,
  isError,
}: {
  data: { verified: boolean; count: number } | undefined
  isError: boolean
}) {
  if (isError) return 'unknown'
  if (!data || (data.verified && data.count === 0)) return 'checking'
  return data.verified ? 'verified' : 'not_verified'
}

/** On an empty installation: the way to the first proven run. Gone once it was walked. */
function FirstSteps() {
  const text = useText()
  const agents = useInfiniteQuery(queries.agents())
  const functions = useInfiniteQuery(queries.functions())
  const runs = useInfiniteQuery(queries.runs())
  if (agents.isPending || functions.isPending || runs.isPending) return null
  const has = (list: { pages: { items: unknown[] }[] } | undefined) =>
    list?.pages.some((page) => page.items.length > 0) ?? false
  const steps = [
    { ...text.home.steps.agent, done: has(agents.data), path: paths.agents, search: { panel: 'new' } },
    { ...text.home.steps.fn, done: has(functions.data), path: '/functions/new', search: {} },
    { ...text.home.steps.run, done: has(runs.data), path: paths.functions, search: {} },
  ]
  if (steps.every((step) => step.done)) return null
  return (
    <Section title={text.home.firstSteps}>
      <ol className="steps">
        {steps.map((step) => (
          <li key={step.title} className={step.done ? 'done' : undefined}>
            <Icon name={step.done ? 'check' : 'right'} />
            <div>
              <Link to={step.path} search={step.search}>
                {step.title}
              </Link>
              {step.done && <span className="visually-hidden"> {text.done}</span>}
              <p className="muted">{step.detail}</p>
            </div>
          </li>
        ))}
      </ol>
      <p className="muted">{text.home.orQuickstart}</p>
      <CodeBlock code="safeconduct quickstart" label={text.example} />
    </Section>
  )
}

const DAY = 86_400_000

/** What needs somebody: runs that ask, agents that wait, runs of the last day that came to nothing, credentials about to end. */
function Needs() {
  const text = useText()
  const [before, since] = useMemo(
    () => [new Date(Date.now() + WEEK).toISOString(), new Date(Date.now() - DAY).toISOString()],
    [],
  )
  const expiring = useInfiniteQuery(queries.expiring(before))
  const ended = {
    failed: useInfiniteQuery(queries.runs({ status: 'failed', from: since })),
    timed_out: useInfiniteQuery(queries.runs({ status: 'timed_out', from: since })),
    dead: useInfiniteQuery(queries.runs({ status: 'dead', from: since })),
  }
  const asking = useInfiniteQuery({
    ...queries.runs({ status: 'awaiting_input' }),
    refetchInterval: 15_000,
  })
  const asked = asking.data?.pages.flatMap((page) => page.items).length ?? 0
  const waiting = useInfiniteQuery(queries.agents({ status: 'pending' }))
  const pending = waiting.data?.pages.flatMap((page) => page.items).length ?? 0
  const credentials = expiring.data?.pages.flatMap((page) => page.items) ?? []
  const failures = (['failed', 'timed_out', 'dead'] as const)
    .map((status) => ({
      status,
      count: ended[status].data?.pages.flatMap((page) => page.items).length ?? 0,
      more: ended[status].hasNextPage,
    }))
    .filter(({ count }) => count > 0)
  if (credentials.length === 0 && failures.length === 0 && pending === 0 && asked === 0) return null
  return (
    <Section title={text.home.needs}>
      <ul className="needs">
        {asked > 0 && (
          <li>
            <Status of="awaiting_input" />
            <Link to={paths.runs} search={{ status: 'awaiting_input' }}>
              {text.questions.waiting(asking.hasNextPage ? `${asked}+` : asked)}
            </Link>
          </li>
        )}
        {pending > 0 && (
          <li>
            <Status of="pending" />
            <Link to={paths.agents} search={{ status: 'pending' }}>
              {text.home.pendingAgents(pending)}
            </Link>
          </li>
        )}
        {failures.map(({ status, count, more }) => (
          <li key={status}>
            <Status of={status} />
            <Link to={paths.runs} search={{ status }}>
              {text.home.endedRuns[status](more ? `${count}+` : count)}
            </Link>
          </li>
        ))}
        {credentials.slice(0, 5).map((credential) => (
          <li key={credential.id}>
            <Status of="expiring" />
            <Link to={paths.agent(credential.agent)} search={{ tab: 'credentials' }}>
              <Name of={credential.label} />
            </Link>
            <Chip of={{ kind: 'agent', id: credential.agent }} />
            <Time at={credential.expires_at} />
          </li>
        ))}
      </ul>
    </Section>
  )
}
