import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { answered, api } from '../../api/client'
import { queries } from '../../api/queries'
import type { Hook, HookDelivery } from '../../api/types'
import { Confirm } from '../../components/confirm'
import { command } from '../../components/equivalent'
import { Chip } from '../../components/identity'
import { Loaded } from '../../components/loaded'
import { Words } from '../../components/words'
import { HookEdit } from '../../forms/hook'
import { hasSecret, wayOf } from '../../forms/hook-draft'
import { useChange } from '../../hooks/change'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { FilterBar } from '../../table/filters'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { CodeBlock, Copyable } from '../../ui/copy'
import { Dialog } from '../../ui/dialog'
import { Icon } from '../../ui/icon'
import { Menu, MenuItem } from '../../ui/menu'
import { shown } from '../../ui/name'
import { Empty, Failure, PageHeader, Properties, Section } from '../../ui/page'
import { Status } from '../../ui/status'
import { Tabs } from '../../ui/tabs'
import { Time } from '../../ui/time'
import { curlOf, ShownHook } from './shown'
import { TryForm } from './try'

const route = getRouteApi('/shell/hooks/$hook')
const OUTCOMES = ['accepted', 'refused', 'duplicate', 'ignored'] as const

/** One hook: what came in, and how it is set. */
export default function HookPage() {
  const text = useText()
  const { hook: id } = route.useParams()
  const { tab = 'deliveries', panel, delivery, outcome } = route.useSearch()
  const navigate = route.useNavigate()
  const query = useQuery(queries.hook(id))
  const [rotated, setRotated] = useState<Hook>()
  const open = (next: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, panel: next as string }) })
  const leave = () => void navigate({ search: ({ delivery: _, ...all }) => all })
  const close = () => open(undefined)
  const above = <Link to={paths.hooks}>{text.place.hooks}</Link>
  return (
    <Loaded query={query} title={id} above={above}>
      {(hook) => (
        <>
          <PageHeader
            title={hook.path}
            above={above}
            state={<Status of={hook.active ? 'enabled' : 'disabled'} />}
            detail={
              <>
                <Copyable value={hook.url} />
                {hook.description && <span>{shown(hook.description)}</span>}
              </>
            }
            actions={<Actions of={hook} open={open} />}
          />
          <Tabs
            label={text.hooks.parts}
            current={tab}
            of={[
              { id: 'deliveries', label: text.hooks.deliveries },
              { id: 'settings', label: text.hooks.settings },
            ]}
          />
          {tab === 'deliveries' && <Deliveries of={hook} outcome={outcome} />}
          {tab === 'settings' && <Settings of={hook} />}
          {delivery && <Delivery of={hook} id={delivery} onClose={leave} />}
          {panel === 'edit' && (
            <Dialog title={text.hooks.editTitle(hook.path)} kind="side" onClose={close}>
              <HookEdit
                hook={hook}
                onDone={(changed) => {
                  close()
                  if (changed.secret) setRotated(changed)
                }}
              />
            </Dialog>
          )}
          {panel === 'try' && (
            <Dialog title={text.hooks.tryTitle} kind="side" onClose={close}>
              <TryForm of={hook} />
            </Dialog>
          )}
          {panel === 'rotate' && (
            <Rotating
              of={hook}
              onClose={close}
              onDone={(made) => {
                close()
                setRotated(made)
              }}
            />
          )}
          {panel === 'delete' && (
            <Removing of={hook} onClose={close} onDone={() => void navigate({ to: paths.hooks })} />
          )}
          {rotated && (
            <ShownHook of={rotated} title={text.hooks.shownTitle} onClose={() => setRotated(undefined)} />
          )}
        </>
      )}
    </Loaded>
  )
}

function Actions({ of: hook, open }: { of: Hook; open: (panel: string) => void }) {
  const text = useText()
  const of = { selector: hook.id, owner: hook.owner }
  const mayUpdate = useReason('hooks:update', { of })
  const mayDelete = useReason('hooks:delete', { of })
  const change = useChange((active: boolean) =>
    answered(
      api.PATCH('/api/v1/hooks/{hook}', {
        body: { active },
        params: { path: { hook: hook.id } },
        headers: { 'if-match': `"${hook.revision}"` },
      }),
    ),
  )
  return (
    <>
      <Button
        icon={hook.active ? 'pause' : 'run'}
        reason={mayUpdate}
        busy={change.isPending}
        onClick={() => change.mutate(!hook.active)}
      >
        {hook.active ? text.hooks.switchOff : text.hooks.switchOn}
      </Button>
      <Button reason={mayUpdate} onClick={() => open('edit')}>
        {text.agents.edit}
      </Button>
      <Menu label={text.moreActions} trigger={<Icon name="more" />}>
        <MenuItem icon="run" reason={mayUpdate} onSelect={() => open('try')}>
          {text.hooks.tryTitle}
        </MenuItem>
        {hasSecret(wayOf(hook.authentication)) && (
          <MenuItem icon="key" reason={mayUpdate} onSelect={() => open('rotate')}>
            {text.hooks.rotate}
          </MenuItem>
        )}
        <MenuItem icon="cross" danger reason={mayDelete} onSelect={() => open('delete')}>
          {text.hooks.remove}
        </MenuItem>
      </Menu>
      {change.error && <Failure error={change.error} />}
    </>
  )
}

interface DeliveriesProps {
  of: Hook
  outcome: string | undefined
}

function Deliveries({ of: hook, outcome }: DeliveriesProps) {
  const text = useText()
  const query = useInfiniteQuery(queries.deliveries(hook.id, { outcome }))
  const columns: Column<HookDelivery>[] = [
    {
      id: 'received',
      head: text.hooks.received,
      cell: (delivery) => (
        <Link to="." search={(all: object) => ({ ...all, delivery: delivery.id })}>
          <Time at={delivery.received_at} />
        </Link>
      ),
    },
    {
      id: 'outcome',
      head: text.hooks.outcome,
      cell: (delivery) => <Status of={delivery.outcome} label={text.hooks.outcomes[delivery.outcome]} />,
    },
    {
      id: 'reason',
      head: text.hooks.reason,
      cell: (delivery) => <span className="mono">{delivery.reason}</span>,
      wide: true,
    },
    { id: 'times', head: text.hooks.times, cell: (delivery) => delivery.count, right: true, wide: true },
    {
      id: 'run',
      head: text.hooks.run,
      cell: (delivery) => delivery.run && <Chip of={{ kind: 'run', id: delivery.run }} />,
    },
  ]
  return (
    <>
      <FilterBar
        values={{ outcome }}
        of={[
          {
            name: 'outcome',
            label: text.hooks.outcome,
            options: OUTCOMES.map((one) => [one, text.hooks.outcomes[one]]),
          },
        ]}
      />
      <Listing
        label={text.hooks.deliveries}
        query={query}
        columns={columns}
        rowId={(delivery) => delivery.id}
        empty={
          outcome ? (
            <Empty icon="search" title={text.nothingMatches} />
          ) : (
            <Empty icon="hook" title={text.hooks.noDeliveries} example={curlOf(hook)} />
          )
        }
      />
    </>
  )
}

interface DeliveryProps {
  of: Hook
  id: string
  onClose: () => void
}

/** What was sent, and sending it through again. */
function Delivery({ of: hook, id, onClose }: DeliveryProps) {
  const text = useText()
  const query = useQuery(queries.delivery(hook.id, id))
  const mayReplay = useReason('hooks:update', { of: { selector: hook.id, owner: hook.owner } })
  const replay = useChange(() =>
    answered(
      api.POST('/api/v1/hooks/{hook}/deliveries/{delivery}/replay', {
        params: { path: { hook: hook.id, delivery: id } },
      }),
    ),
  )
  return (
    <Dialog title={text.hooks.delivery} kind="side" onClose={onClose}>
      <Loaded query={query} title={text.hooks.delivery}>
        {(delivery) => (
          <>
            <Properties
              of={[
                [
                  text.hooks.outcome,
                  <Status key="o" of={delivery.outcome} label={text.hooks.outcomes[delivery.outcome]} />,
                ],
                ...(delivery.reason ? [[text.hooks.reason, delivery.reason] as [string, string]] : []),
                [text.hooks.received, <Time key="r" at={delivery.received_at} />],
                [text.hooks.times, delivery.count],
                [text.hooks.from, delivery.ip ?? text.noneGiven],
                [text.hooks.size, delivery.size],
                [text.id, <Copyable key="i" value={delivery.id} />],
                ...(delivery.run
                  ? [
                      [text.hooks.run, <Chip key="c" of={{ kind: 'run', id: delivery.run }} />] as [
                        string,
                        React.ReactNode,
                      ],
                    ]
                  : []),
              ]}
            />
            {delivery.request ? (
              <>
                <CodeBlock
                  code={[
                    `${delivery.method} ${delivery.request.path}${delivery.request.query && `?${delivery.request.query}`}`,
                    ...Object.entries(delivery.request.headers).map(([name, value]) => `${name}: ${value}`),
                  ].join('\n')}
                  label={text.hooks.headers}
                  wrap
                />
                <CodeBlock code={decoded(delivery.request.body)} label={text.hooks.body} wrap />
              </>
            ) : (
              <p className="muted">{text.hooks.notKept}</p>
            )}
            {replay.error && <Failure error={replay.error} />}
            <p role="status">{replay.data && text.hooks.replayed}</p>
            <footer>
              <Button
                icon="run"
                look="primary"
                busy={replay.isPending}
                reason={mayReplay ?? (delivery.request ? undefined : text.hooks.notKept)}
                onClick={() => replay.mutate(undefined)}
              >
                {text.hooks.replay}
              </Button>
            </footer>
          </>
        )}
      </Loaded>
    </Dialog>
  )
}

/** Text where it is text; else what was sent, in base64. */
function decoded(base64: string): string {
  try {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return base64
  }
}

function Settings({ of: hook }: { of: Hook }) {
  const text = useText()
  return (
    <div className="columns">
      <Section title={text.hooks.settings}>
        <Properties
          of={[
            [text.hooks.methods, hook.methods.join(', ')],
            [
              text.hooks.target,
              <Chip key="f" of={{ kind: 'function', id: hook.target.function, display: hook.target.name }} />,
            ],
            [
              text.hooks.owner,
              <Chip
                key="o"
                of={{ kind: hook.owner.startsWith('agt_') ? 'agent' : 'user', id: hook.owner }}
              />,
            ],
            [text.hooks.believes, text.hooks.ways[wayOf(hook.authentication)]],
            [text.hooks.input, text.hooks.inputs[hook.input.mode ?? 'body']],
            [text.hooks.response, text.hooks.responses[hook.response]],
            [text.hooks.addresses, hook.allowed_ips.join(', ') || text.noneGiven],
            [
              text.hooks.deduplicate,
              hook.deduplication?.header ?? hook.deduplication?.pointer ?? text.noneGiven,
            ],
            [text.hooks.limits, text.hooks.limit(hook.rate_per_minute, hook.concurrency)],
            [text.created, <Time key="created" at={hook.created_at} />],
            [text.id, <Copyable key="id" value={hook.id} />],
          ]}
        />
      </Section>
      <Section title={text.agents.permissions}>
        {hook.permissions.length > 0 ? (
          <Words of={hook.permissions} />
        ) : (
          <p className="muted">{text.noneGiven}</p>
        )}
        {hook.routes.length > 0 && (
          <CodeBlock code={JSON.stringify(hook.routes, null, 2)} label={text.hooks.routes} wrap />
        )}
        <CodeBlock code={curlOf(hook)} label={text.hooks.tryIt} wrap />
      </Section>
    </div>
  )
}

interface EndingProps<Made = undefined> {
  of: Hook
  onClose: () => void
  onDone: (made: Made) => void
}

function Rotating({ of: hook, onClose, onDone }: EndingProps<Hook>) {
  const text = useText()
  const change = useChange(
    (_: undefined, key: string) =>
      answered(
        api.POST('/api/v1/hooks/{hook}/rotate', {
          body: {},
          params: { path: { hook: hook.id }, header: { 'Idempotency-Key': key } },
        }),
      ),
    onDone,
  )
  return (
    <Confirm
      title={text.hooks.rotateTitle(hook.path)}
      detail={text.hooks.rotateDetail}
      act={text.hooks.rotate}
      change={change}
      same={{
        method: 'POST',
        path: `/api/v1/hooks/${hook.id}/rotate`,
        body: {},
        cli: command('safeconduct hooks rotate', hook.id),
      }}
      onClose={onClose}
    />
  )
}

function Removing({ of: hook, onClose, onDone }: EndingProps) {
  const text = useText()
  const change = useChange(
    () => answered(api.DELETE('/api/v1/hooks/{hook}', { params: { path: { hook: hook.id } } })),
    () => onDone(undefined),
  )
  return (
    <Confirm
      title={text.hooks.removeTitle(hook.path)}
      detail={text.hooks.removeDetail}
      name={hook.path}
      act={text.hooks.remove}
      change={change}
      same={{
        method: 'DELETE',
        path: `/api/v1/hooks/${hook.id}`,
        cli: command('safeconduct hooks delete', hook.id),
      }}
      onClose={onClose}
    />
  )
}
