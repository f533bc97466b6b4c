import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import { answered, api } from '../../api/client'
import { queries } from '../../api/queries'
import type { ApiKey, IssuedApiKey } from '../../api/types'
import { Confirm } from '../../components/confirm'
import { Chip } from '../../components/identity'
import { Words } from '../../components/words'
import { ApiKeyForm } from '../../forms/api-key'
import { useChange } from '../../hooks/change'
import { useReason } from '../../hooks/rights'
import { FilterBar } from '../../table/filters'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { CodeBlock, shortId } from '../../ui/copy'
import { Dialog } from '../../ui/dialog'
import { Icon } from '../../ui/icon'
import { Name } from '../../ui/name'
import { Empty, PageHeader } from '../../ui/page'
import { Status } from '../../ui/status'
import { Time } from '../../ui/time'

interface View {
  filters: Record<string, string | undefined>
  panel: string | undefined
  open: (panel: string | undefined) => void
}

const org = getRouteApi('/shell/api-keys')

/** Every key of the organization that the caller may see. */
export function OrgKeys() {
  const text = useText()
  const { panel, ...filters } = org.useSearch()
  const navigate = org.useNavigate()
  const open = (next: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, ...{ panel: next as string } }) })
  return <Keys title={text.place.apiKeys} view={{ filters, panel, open }} byOwner />
}

const own = getRouteApi('/shell/account/api-keys')

/** The caller's own. */
export function OwnKeys() {
  const text = useText()
  const { panel, status } = own.useSearch()
  const navigate = own.useNavigate()
  const me = useQuery(queries.me()).data?.principal.id
  const open = (next: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, ...{ panel: next as string } }) })
  return <Keys title={text.apiKey.mine} view={{ filters: { status, owner: me }, panel, open }} />
}

interface KeysProps {
  title: string
  view: View
  /** Whether the owner is shown and can be chosen. */
  byOwner?: boolean
}

function Keys({ title, view, byOwner = false }: KeysProps) {
  const text = useText()
  const query = useInfiniteQuery(queries.apiKeys(view.filters))
  const [revoking, setRevoking] = useState<ApiKey>()
  const [issued, setIssued] = useState<IssuedApiKey>()
  const mayCreate = useReason('api_keys:create', { stepUp: true })
  const close = () => view.open(undefined)
  const columns: (Column<ApiKey> | false)[] = [
    {
      id: 'name',
      head: text.apiKey.name,
      cell: (key) => (
        <span className="name">
          <span>
            <Name of={key.name} />
          </span>
          <span className="mono muted">{shortId(key.id)}</span>
        </span>
      ),
    },
    { id: 'status', head: text.statusHead, cell: (key) => <Status of={key.status} /> },
    byOwner && {
      id: 'owner',
      head: text.agents.owner,
      cell: (key) => <Chip of={{ kind: key.owner_kind, id: key.owner }} />,
      wide: true,
    },
    {
      id: 'permissions',
      head: text.access.permissions,
      cell: (key) => <Words of={key.permissions} />,
      wide: true,
    },
    {
      id: 'used',
      head: text.credentials.lastUsed,
      cell: (key) => <Time at={key.last_used_at} />,
      wide: true,
    },
    {
      id: 'expires',
      head: text.credentials.expires,
      cell: (key) => <Time at={key.expires_at} />,
      wide: true,
    },
    {
      id: 'revoke',
      head: '',
      right: true,
      cell: (key) => key.status === 'active' && <Revoke of={key} onAsk={() => setRevoking(key)} />,
    },
  ]
  return (
    <>
      <PageHeader
        title={title}
        detail={text.apiKey.detail}
        actions={
          <Button look="primary" icon="plus" reason={mayCreate} onClick={() => view.open('new')}>
            {text.apiKey.create}
          </Button>
        }
      />
      <FilterBar
        values={view.filters}
        of={[
          {
            name: 'status',
            label: text.statusHead,
            options: (['active', 'expired', 'revoked'] as const).map((s) => [s, text.status[s]]),
          },
          ...(byOwner
            ? [{ name: 'owner', label: text.agents.owner, find: ['user', 'agent'] as ('user' | 'agent')[] }]
            : []),
        ]}
      />
      <Listing
        label={title}
        query={query}
        columns={columns.filter((column) => column !== false)}
        rowId={(key) => key.id}
        empty={
          <Empty
            icon="key"
            title={view.filters.status ? text.nothingMatches : text.apiKey.none}
            example="safeconduct apikeys create nightly --permission agents:read"
          >
            {text.apiKey.noneDetail}
          </Empty>
        }
      />
      {view.panel === 'new' && (
        <Dialog title={text.apiKey.create} kind="side" onClose={close}>
          <ApiKeyForm
            onDone={(key) => {
              close()
              setIssued(key)
            }}
          />
        </Dialog>
      )}
      {revoking && <Revoking of={revoking} onClose={() => setRevoking(undefined)} />}
      {issued && <Shown of={issued} onClose={() => setIssued(undefined)} />}
    </>
  )
}

/** An agent's key belongs to whoever answers for the agent, which the server knows; only people's are told apart here. */
function Revoke({ of: key, onAsk }: { of: ApiKey; onAsk: () => void }) {
  const text = useText()
  const of = key.owner_kind === 'user' ? { owner: key.owner } : {}
  return (
    <Button
      look="ghost"
      aria-label={text.apiKey.revokeOf(key.name)}
      reason={useReason('api_keys:delete', { of })}
      onClick={onAsk}
    >
      {text.apiKey.revoke}
    </Button>
  )
}

function Revoking({ of: key, onClose }: { of: ApiKey; onClose: () => void }) {
  const text = useText()
  const change = useChange(
    () => answered(api.DELETE('/api/v1/api-keys/{key}', { params: { path: { key: key.id } } })),
    onClose,
  )
  return (
    <Confirm
      title={text.apiKey.revokeTitle(key.name)}
      detail={text.apiKey.revokeDetail}
      name={key.name}
      act={text.apiKey.revoke}
      change={change}
      same={{
        method: 'DELETE',
        path: `/api/v1/api-keys/${key.id}`,
        cli: `safeconduct apikeys revoke ${key.id}`,
      }}
      onClose={onClose}
    />
  )
}

/** Shown once, from the answer itself; it is kept nowhere and gone when this closes. */
function Shown({ of: key, onClose }: { of: IssuedApiKey; onClose: () => void }) {
  const text = useText()
  return (
    <Dialog title={text.apiKey.shownTitle} kind="centre" onClose={onClose}>
      <p className="once">
        <Icon name="alert" /> {text.apiKey.shownOnce}
      </p>
      <CodeBlock code={key.api_key} label={text.kinds.api_key} wrap once />
      <details>
        <summary>{text.apiKey.tryIt}</summary>
        <CodeBlock
          label={text.byApi}
          wrap
          code={`curl -H "X-API-Key: $API_KEY" \\\n  ${location.origin}/api/v1/auth/me`}
        />
      </details>
      <footer>
        <Button look="primary" onClick={onClose}>
          {text.credentials.kept}
        </Button>
      </footer>
    </Dialog>
  )
}
