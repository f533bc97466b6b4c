import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { answered, api } from '../../api/client'
import { queries } from '../../api/queries'
import type { Body, Fn, FnVersion } from '../../api/types'
import { Equivalent } from '../../components/equivalent'
import { Chip } from '../../components/identity'
import { PackageLock } from '../../components/package-lock'
import { RunTable } from '../../components/runs'
import { shownRule } from '../../forms/egress-rules'
import { FunctionForm } from '../../forms/function'
import { useChange } from '../../hooks/change'
import { named, useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Copyable } from '../../ui/copy'
import { Dialog } from '../../ui/dialog'
import { Editor } from '../../ui/editor'
import { Field } from '../../ui/form'
import { Icon } from '../../ui/icon'
import { Menu, MenuItem } from '../../ui/menu'
import { shown } from '../../ui/name'
import { Empty, Failure, PageHeader, Section, Skeleton } from '../../ui/page'
import { Tabs } from '../../ui/tabs'
import { Time } from '../../ui/time'
import { TestRun } from './test'

const route = getRouteApi('/shell/functions/$fn')

export default function FunctionPage() {
  const text = useText()
  const { fn: id } = route.useParams()
  const { tab = 'code', run, panel } = route.useSearch()
  const navigate = route.useNavigate()
  const open = (panel: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, panel: panel as string }) })
  const query = useQuery(queries.fn(id))
  const above = <Link to={paths.functions}>{text.place.functions}</Link>
  if (!query.data) {
    return (
      <>
        <PageHeader title={text.kinds.function} above={above} />
        {query.isError ? (
          <Failure error={query.error} onRetry={() => void query.refetch()} />
        ) : (
          <Skeleton lines={8} />
        )}
      </>
    )
  }
  const fn = query.data
  return (
    <>
      <PageHeader
        title={`${fn.namespace}:${fn.name}`}
        above={above}
        state={<span className="mono badge">v{fn.version.number}</span>}
        actions={<Actions of={fn} open={open} />}
        detail={
          <>
            <Copyable value={fn.id} />
            {fn.description && <span>{shown(fn.description)}</span>}
          </>
        }
      />
      <Tabs
        label={text.functions.parts}
        current={tab}
        of={[
          { id: 'code', label: text.functions.code },
          { id: 'test', label: text.functions.test },
          { id: 'versions', label: text.functions.versions },
          { id: 'runs', label: text.place.runs },
        ]}
      />
      {tab === 'code' && <Publish key={fn.version.id} fn={fn} />}
      {tab === 'test' && <TestRun fn={fn} run={run} />}
      {tab === 'versions' && <Versions of={fn} />}
      {tab === 'runs' && <Runs of={fn.id} />}
      {panel === 'delete' && <Removal of={fn} onClose={() => open(undefined)} />}
    </>
  )
}

function Actions({ of: fn, open }: { of: Fn; open: (panel: string) => void }) {
  const text = useText()
  const mayDelete = useReason('functions:delete', { of: named(fn) })
  return (
    <Menu label={text.moreActions} trigger={<Icon name="more" />}>
      <MenuItem icon="cross" danger reason={mayDelete} onSelect={() => open('delete')}>
        {text.functions.remove}
      </MenuItem>
    </Menu>
  )
}

/** Deletes the function once its name was typed. */
function Removal({ of: fn, onClose }: { of: Fn; onClose: () => void }) {
  const text = useText()
  const [typed, setTyped] = useState('')
  const name = `${fn.namespace}:${fn.name}`
  const navigate = useNavigate()
  const remove = useChange(
    () => answered(api.DELETE('/api/v1/functions/{function}', { params: { path: { function: fn.id } } })),
    () => void navigate({ to: paths.functions }),
  )
  const submit = (event: FormEvent) => {
    event.preventDefault()
    remove.mutate(undefined)
  }
  return (
    <Dialog title={text.functions.removeTitle(name)} kind="centre" onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <p>{text.functions.removeDetail}</p>
        <Field label={text.confirmByName(name)}>
          {(ids) => (
            <input
              {...ids}
              className="mono"
              value={typed}
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => setTyped(event.target.value)}
            />
          )}
        </Field>
        {remove.error && <Failure error={remove.error} />}
        <Equivalent
          method="DELETE"
          path={`/api/v1/functions/${fn.id}`}
          cli={`safeconduct functions delete ${name}`}
        />
        <footer>
          <Button onClick={onClose}>{text.cancel}</Button>
          <Button
            type="submit"
            look="danger"
            busy={remove.isPending}
            reason={typed === name ? undefined : text.confirmReason}
          >
            {text.functions.remove}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}

function Publish({ fn }: { fn: Fn }) {
  const mayPublish = useReason('functions:update', { of: named(fn) })
  const publish = useChange((body: Body<'functions.publish'>, key) =>
    answered(
      api.POST('/api/v1/functions/{function}/versions', {
        body,
        params: { path: { function: fn.id }, header: { 'Idempotency-Key': key } },
      }),
    ),
  )
  return (
    <FunctionForm
      of={fn}
      reason={mayPublish}
      busy={publish.isPending}
      error={publish.error}
      onSubmit={(body) => publish.mutate(body as Body<'functions.publish'>)}
    />
  )
}

function Versions({ of: fn }: { of: Fn }) {
  const text = useText()
  const query = useInfiniteQuery(queries.fnVersions(fn.id))
  const columns: Column<FnVersion>[] = [
    {
      id: 'number',
      head: text.version,
      cell: (version) => (
        <details className="version">
          <summary className="mono">v{version.number}</summary>
          <Editor
            label={`${text.functions.code} v${version.number}`}
            value={version.code}
            rows={Math.min(version.code.split('\n').length + 1, 24)}
          />
          <PackageLock of={version} />
        </details>
      ),
    },
    { id: 'id', head: text.id, cell: (version) => <Copyable value={version.id} />, wide: true },
    {
      id: 'by',
      head: text.functions.author,
      cell: (version) => <Chip of={version.author} />,
      wide: true,
    },
    { id: 'attempts', head: text.queues.attempts, cell: (version) => <Attempts of={version} />, wide: true },
    {
      id: 'at_a_time',
      head: text.queues.atATime,
      cell: (version) => <span className="mono">{version.concurrency ?? '–'}</span>,
      wide: true,
    },
    {
      id: 'rate',
      head: text.queues.rate,
      cell: ({ rate }) => (
        <span className="mono">{rate ? text.queues.startsIn(rate.starts, rate.per_seconds) : '–'}</span>
      ),
      wide: true,
    },
    {
      id: 'ways_out',
      head: text.egress.rules,
      cell: ({ egress, secrets }) => (
        <span className="name mono">
          {egress.length === 0 && <span className="muted">{text.egress.nothing}</span>}
          {egress.map((rule) => (
            <span key={shownRule(rule)}>{shown(shownRule(rule))}</span>
          ))}
          {secrets.length > 0 && <span className="muted">{shown(secrets.join(', '))}</span>}
        </span>
      ),
      wide: true,
    },
    { id: 'created', head: text.created, cell: (version) => <Time at={version.created_at} />, right: true },
    {
      id: 'live',
      head: text.functions.isLive,
      cell: (version) => <Live of={fn} version={version} />,
      right: true,
    },
  ]
  return (
    <Section title={text.functions.versions}>
      <p className="muted">{text.functions.versionsDetail}</p>
      <Listing
        label={text.functions.versions}
        query={query}
        columns={columns}
        rowId={(version) => version.id}
        empty={<Empty icon="function" title={text.nothingMatches} />}
      />
    </Section>
  )
}

/** The one that calls run, or the way back to it. */
function Live({ of: fn, version }: { of: Fn; version: FnVersion }) {
  const text = useText()
  const mayPublish = useReason('functions:update', { of: named(fn) })
  const change = useChange((_: undefined, key) =>
    answered(
      api.POST('/api/v1/functions/{function}/versions/{version}/live', {
        params: { path: { function: fn.id, version: version.id }, header: { 'Idempotency-Key': key } },
      }),
    ),
  )
  if (version.id === fn.live_version) return <strong>{text.functions.isLive}</strong>
  return (
    <>
      <Button compact busy={change.isPending} reason={mayPublish} onClick={() => change.mutate(undefined)}>
        {text.functions.makeLive(version.number)}
      </Button>
      {change.error && <Failure error={change.error} />}
    </>
  )
}

function Attempts({ of: { retry } }: { of: FnVersion }) {
  const text = useText()
  return (
    <span className="mono">{retry ? text.queues.after(retry.max_attempts, retry.initial_seconds) : 1}</span>
  )
}

function Runs({ of: id }: { of: string }) {
  return <RunTable query={useInfiniteQuery(queries.runs({ function: id }))} />
}
