import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { answered, api } from '../../api/client'
import { indented } from '../../api/json-text'
import { queries } from '../../api/queries'
import type { Schedule, ScheduleTick } from '../../api/types'
import { Confirm } from '../../components/confirm'
import { command, Equivalent, flag } from '../../components/equivalent'
import { Chip, Id } from '../../components/identity'
import { Loaded } from '../../components/loaded'
import { isOver } from '../../components/runs'
import { inZone, TickList, TickTime, useCodeWords, When } from '../../components/timing'
import { Words } from '../../components/words'
import { EditSchedule } from '../../forms/schedule'
import { useChange } from '../../hooks/change'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { type Column, Listing } from '../../table/listing'
import { useLanguage, useText } from '../../text'
import { Button } from '../../ui/button'
import { CodeBlock, Copyable } from '../../ui/copy'
import { Icon } from '../../ui/icon'
import { Menu, MenuItem } from '../../ui/menu'
import { shown } from '../../ui/name'
import { Empty, Failure, PageHeader, Properties, Section } from '../../ui/page'
import { Status } from '../../ui/status'
import { Tabs } from '../../ui/tabs'
import { Time } from '../../ui/time'
import { Calendar } from './calendar'

const route = getRouteApi('/shell/schedules/$schedule')

/** One schedule: what it does and for whom, when it will and when it did. */
export default function SchedulePage() {
  const text = useText()
  const { schedule: id } = route.useParams()
  const { tab = 'what', panel } = route.useSearch()
  const navigate = route.useNavigate()
  const query = useQuery({ ...queries.schedule(id), refetchInterval: panel ? false : 5_000 })
  const open = (next: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, panel: next as string }) })
  const close = () => open(undefined)
  const above = <Link to={paths.schedules}>{text.place.schedules}</Link>
  return (
    <Loaded query={query} title={text.kinds.schedule} above={above}>
      {(schedule) =>
        panel === 'edit' ? (
          <>
            <PageHeader title={text.schedules.editTitle(schedule.name)} above={above} />
            <EditSchedule schedule={schedule} onDone={close} />
          </>
        ) : (
          <>
            <Head of={schedule} above={above} open={open} />
            <Tabs
              label={text.schedules.parts}
              current={tab}
              of={[
                { id: 'what', label: text.schedules.what },
                { id: 'calendar', label: text.schedules.calendar },
                { id: 'history', label: text.schedules.history },
              ]}
            />
            {tab === 'what' && <What of={schedule} onTake={() => open('take')} />}
            {tab === 'calendar' && <Calendar of={schedule} />}
            {tab === 'history' && <History of={schedule} />}
            {panel === 'take' && <Taking of={schedule} onClose={close} />}
            {panel === 'delete' && (
              <Removing of={schedule} onClose={close} onDone={() => void navigate({ to: paths.schedules })} />
            )}
          </>
        )
      }
    </Loaded>
  )
}

interface HeadProps {
  of: Schedule
  above: ReactNode
  open: (panel: string) => void
}

/** Its state, what can be done to it, and the last refusal until a tick goes well. */
function Head({ of: schedule, above, open }: HeadProps) {
  const text = useText()
  const navigate = useNavigate()
  const of = { selector: schedule.id, owner: schedule.owner }
  const mayUpdate = useReason('schedules:update', { of })
  const mayDelete = useReason('schedules:delete', { of })
  const path = { schedule: schedule.id }
  const run = useChange(
    (_: undefined, key) =>
      answered(
        api.POST('/api/v1/schedules/{schedule}/run', {
          params: { path, header: { 'Idempotency-Key': key } },
        }),
      ),
    ({ run }) => void navigate({ to: paths.run(run) }),
  )
  const turn = schedule.state === 'paused' ? 'resume' : 'pause'
  const put = useChange((_: undefined, key) => {
    const how = { params: { path, header: { 'Idempotency-Key': key } } }
    return answered(
      turn === 'resume'
        ? api.POST('/api/v1/schedules/{schedule}/resume', how)
        : api.POST('/api/v1/schedules/{schedule}/pause', how),
    )
  })
  const press = (change: typeof run | typeof put) => () => {
    for (const other of [run, put]) other.reset()
    change.mutate(undefined)
  }
  const error = run.error ?? put.error
  return (
    <>
      <PageHeader
        title={schedule.name}
        above={above}
        state={<Status of={schedule.state} />}
        detail={
          <>
            <Copyable value={schedule.id} />
            {schedule.description && <span>{shown(schedule.description)}</span>}
          </>
        }
        actions={
          <>
            <Button look="primary" icon="run" reason={mayUpdate} busy={run.isPending} onClick={press(run)}>
              {text.schedules.runNow}
            </Button>
            {schedule.state !== 'ended' && (
              <Button
                icon={turn === 'resume' ? 'clock' : 'pause'}
                reason={mayUpdate}
                busy={put.isPending}
                onClick={press(put)}
              >
                {text.schedules[turn]}
              </Button>
            )}
            <Button icon="edit" reason={mayUpdate} onClick={() => open('edit')}>
              {text.agents.edit}
            </Button>
            <Menu label={text.moreActions} trigger={<Icon name="more" />}>
              <MenuItem icon="cross" danger reason={mayDelete} onSelect={() => open('delete')}>
                {text.schedules.remove}
              </MenuItem>
            </Menu>
          </>
        }
      />
      {error && <Failure error={error} />}
      {schedule.refusal && !error && <Refusal code={schedule.refusal} />}
    </>
  )
}

function Refusal({ code }: { code: string }) {
  const text = useText()
  const words = useCodeWords()
  return (
    <div className="failure" role="status">
      <Icon name="alert" />
      <div>
        <strong>{text.schedules.refusedTitle(code)}</strong>
        <p>{words(code)}</p>
      </div>
    </div>
  )
}

function What({ of: schedule, onTake }: { of: Schedule; onTake: () => void }) {
  const text = useText()
  const { schedules } = text
  const me = useQuery(queries.me()).data
  const mine = schedule.owner === me?.principal.id
  const mayTake = useReason('schedules:update', { of: { selector: schedule.id, owner: schedule.owner } })
  const zone = schedule.time_zone
  const none = <span className="muted">{text.noneGiven}</span>
  const time = (at: string | null | undefined) => (at ? <TickTime at={at} zone={zone} both /> : none)
  const missed = schedules.misses[schedule.missed]
  return (
    <>
      <div className="columns">
        <div>
          <Section title={schedules.what}>
            <Properties
              of={[
                [
                  schedules.fn,
                  <Chip
                    key="f"
                    of={{
                      kind: 'function',
                      id: schedule.function,
                      display: schedule.function_name.replace('/', ':'),
                    }}
                  />,
                ],
                [schedules.when, <When key="w" of={schedule} />],
                [schedules.zone, zone],
                [schedules.overlap, schedules.overlaps[schedule.overlap]],
                [
                  schedules.missed,
                  schedule.missed === 'backfill' ? `${missed} (${schedule.backfill})` : missed,
                ],
                [schedules.jitter, schedule.jitter_seconds > 0 ? String(schedule.jitter_seconds) : none],
                [schedules.starts, time(schedule.starts_at)],
                [schedules.ends, time(schedule.ends_at)],
                [text.created, <Time key="c" at={schedule.created_at} />],
                [text.updated, <Time key="u" at={schedule.updated_at} />],
              ]}
            />
          </Section>
          <Section title={text.runs.input}>
            <CodeBlock code={indented(schedule.input)} label={text.runs.input} wrap />
          </Section>
        </div>
        <div>
          <Section title={schedules.nextTicks}>
            {schedule.next.length > 0 ? (
              <TickList of={schedule.next} zone={zone} label={schedules.nextTicks} />
            ) : (
              <p className="muted">{schedule.state === 'active' ? schedules.noNext : schedules.notActive}</p>
            )}
          </Section>
          <Section
            title={schedules.authority}
            actions={
              !mine && (
                <Button reason={mayTake} onClick={onTake}>
                  {schedules.take}
                </Button>
              )
            }
          >
            <Properties
              of={[
                [
                  text.agents.owner,
                  <Chip key="o" of={{ kind: kindOf(schedule.owner), id: schedule.owner }} />,
                ],
                [text.agents.permissions, <Words key="p" of={schedule.permissions} />],
              ]}
            />
            <p className="muted">{mine ? schedules.forYou : schedules.forOther}</p>
            <p className="muted">{schedules.takeOver}</p>
          </Section>
        </div>
      </div>
      <Section title={schedules.lastRuns}>
        <LastRuns of={schedule} />
      </Section>
      <Equivalents of={schedule} />
    </>
  )
}

function kindOf(owner: string): 'agent' | 'user' {
  return owner.startsWith('agt_') ? 'agent' : 'user'
}

/** The newest of those ticks that became runs. */
function LastRuns({ of: schedule }: { of: Schedule }) {
  const text = useText()
  const query = useQuery({ ...queries.recentTicks(schedule.id), refetchInterval: 5_000 })
  if (query.isError) return <Failure error={query.error} onRetry={() => void query.refetch()} />
  const ran = (query.data ?? []).filter(({ run }) => run).slice(0, 5)
  if (query.data && ran.length === 0) return <p className="muted">{text.schedules.noRuns}</p>
  return <ul className="ticks">{ran.map(({ number, run }) => run && <LastRun key={number} of={run} />)}</ul>
}

function LastRun({ of: id }: { of: string }) {
  const run = useQuery({
    ...queries.run(id),
    refetchInterval: ({ state }) => (state.data && !isOver(state.data) ? 2_000 : false),
    retry: false,
  }).data
  return (
    <li className="statuses">
      <Id of={id} short />
      {run && <Status of={run.status} />}
      {run && <Time at={run.queued_at} />}
    </li>
  )
}

function History({ of: schedule }: { of: Schedule }) {
  const text = useText()
  const query = useInfiniteQuery({ ...queries.ticks(schedule.id), refetchInterval: 5_000 })
  const codeWords = useCodeWords()
  const zone = schedule.time_zone
  const columns: Column<ScheduleTick>[] = [
    {
      id: 'tick',
      head: text.schedules.tick,
      cell: (tick) => (
        <span className="name">
          <TickTime at={tick.tick} zone={zone} />
          {tick.until && <Until at={tick.until} zone={zone} />}
        </span>
      ),
    },
    {
      id: 'outcome',
      head: text.schedules.outcome,
      cell: (tick) => (
        <span className="name">
          <span className="statuses">
            <Status
              of={tick.outcome}
              {...(tick.code && { label: `${text.status[tick.outcome]}: ${tick.code}` })}
            />
          </span>
          <span className="muted wide break">
            {tick.outcome === 'refused'
              ? tick.code && codeWords(tick.code)
              : text.schedules.outcomes[tick.outcome]}
          </span>
        </span>
      ),
    },
    { id: 'run', head: text.runs.run, cell: (tick) => <Id of={tick.run} short /> },
    {
      id: 'seen',
      head: text.schedules.seenTo,
      cell: (tick) => <Time at={tick.at} />,
      right: true,
      wide: true,
    },
  ]
  return (
    <Section title={text.schedules.history}>
      <p className="muted">{text.schedules.kept}</p>
      <Listing
        label={text.schedules.history}
        query={query}
        columns={columns}
        rowId={(tick) => String(tick.number)}
        empty={<Empty icon="clock" title={text.schedules.noHistory} />}
      />
    </Section>
  )
}

/** Ticks that were left out together stand in one row. */
function Until({ at, zone }: { at: string; zone: string }) {
  const text = useText()
  const [language] = useLanguage()
  return <span className="muted">{text.schedules.until(inZone(at, zone, language))}</span>
}

/** Saying anew what it does makes one its owner; the function that it has already will do. */
function Taking({ of: schedule, onClose }: { of: Schedule; onClose: () => void }) {
  const text = useText()
  const body = { function: schedule.function }
  const change = useChange(
    () =>
      answered(
        api.PATCH('/api/v1/schedules/{schedule}', {
          body,
          params: { path: { schedule: schedule.id } },
          headers: { 'if-match': `"${schedule.revision}"` },
        }),
      ),
    onClose,
  )
  return (
    <Confirm
      title={text.schedules.takeTitle(schedule.name)}
      detail={text.schedules.takeDetail}
      act={text.schedules.take}
      change={change}
      same={{
        method: 'PATCH',
        path: `/api/v1/schedules/${schedule.id}`,
        revision: schedule.revision,
        body,
        cli: command(
          'safeconduct schedules update',
          schedule.id,
          flag('function', schedule.function),
          flag('if-revision', schedule.revision),
        ),
      }}
      onClose={onClose}
    />
  )
}

interface RemovingProps {
  of: Schedule
  onClose: () => void
  onDone: () => void
}

function Removing({ of: schedule, onClose, onDone }: RemovingProps) {
  const text = useText()
  const change = useChange(
    () =>
      answered(
        api.DELETE('/api/v1/schedules/{schedule}', {
          params: { path: { schedule: schedule.id } },
          headers: { 'if-match': `"${schedule.revision}"` },
        }),
      ),
    onDone,
  )
  return (
    <Confirm
      title={text.schedules.removeTitle(schedule.name)}
      detail={text.schedules.removeDetail}
      name={schedule.name}
      act={text.schedules.remove}
      change={change}
      same={{
        method: 'DELETE',
        path: `/api/v1/schedules/${schedule.id}`,
        revision: schedule.revision,
        cli: command('safeconduct schedules delete', schedule.id),
      }}
      onClose={onClose}
    />
  )
}

/** The same from a terminal, for each act of the page's head. */
function Equivalents({ of: schedule }: { of: Schedule }) {
  const text = useText()
  const acts = { run: text.schedules.runNow, pause: text.schedules.pause, resume: text.schedules.resume }
  const offered = { active: ['run', 'pause'], paused: ['run', 'resume'], ended: ['run'] } as const
  return offered[schedule.state].map((act) => (
    <Equivalent
      key={act}
      act={acts[act]}
      method="POST"
      path={`/api/v1/schedules/${schedule.id}/${act}`}
      cli={`safeconduct schedules ${act} ${schedule.id}`}
    />
  ))
}
