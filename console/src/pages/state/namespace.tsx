import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { answered, api } from '../../api/client'
import { type Filters, queries } from '../../api/queries'
import type { StateNamespace, StateSummary } from '../../api/types'
import { Confirm } from '../../components/confirm'
import { command } from '../../components/equivalent'
import { Loaded } from '../../components/loaded'
import { EntryForm } from '../../forms/entry'
import { NamespaceForm, VISIBILITIES } from '../../forms/namespace'
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
import { Name, shown } from '../../ui/name'
import { Empty, PageHeader, Properties, Section } from '../../ui/page'
import { Status } from '../../ui/status'
import { Tabs } from '../../ui/tabs'
import { Time } from '../../ui/time'

const route = getRouteApi('/shell/state/$namespace')

/** One namespace: its entries, and how it keeps them. */
export default function NamespacePage() {
  const text = useText()
  const { namespace: name } = route.useParams()
  const { tab = 'entries', panel, ...filters } = route.useSearch()
  const navigate = route.useNavigate()
  const query = useQuery(queries.namespace(name))
  const open = (next: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, panel: next as string }) })
  const close = () => open(undefined)
  const above = <Link to={paths.state}>{text.place.state}</Link>
  return (
    <Loaded query={query} title={name} above={above}>
      {(namespace) => (
        <>
          <PageHeader
            title={namespace.name}
            above={above}
            state={namespace.secret && <Status of="off" label={text.state.secret} />}
            detail={
              <>
                <Copyable value={namespace.id} />
                {namespace.description && <span>{shown(namespace.description)}</span>}
              </>
            }
            actions={<Actions of={namespace} open={open} />}
          />
          <Tabs
            label={text.state.parts}
            current={tab}
            of={[
              { id: 'entries', label: text.state.entries },
              { id: 'settings', label: text.state.settings },
            ]}
          />
          {tab === 'entries' && <Entries of={namespace} filters={filters} />}
          {tab === 'settings' && <Settings of={namespace} />}
          {panel === 'new' && (
            <Dialog title={text.state.put} kind="side" onClose={close}>
              <EntryForm
                namespace={namespace}
                onDone={(key) => void navigate({ to: paths.entry(namespace.name, key) })}
              />
            </Dialog>
          )}
          {panel === 'edit' && (
            <Dialog title={text.state.editTitle(namespace.name)} kind="side" onClose={close}>
              <NamespaceForm namespace={namespace} onDone={close} />
            </Dialog>
          )}
          {panel === 'delete' && (
            <Removing of={namespace} onClose={close} onDone={() => void navigate({ to: paths.state })} />
          )}
        </>
      )}
    </Loaded>
  )
}

function Actions({ of: namespace, open }: { of: StateNamespace; open: (panel: string) => void }) {
  const text = useText()
  const of = { selector: namespace.name, owner: namespace.owner }
  const mayUpdate = useReason('state:update', { of })
  const mayDelete = useReason('state:delete', { of })
  return (
    <>
      <Button icon="plus" look="primary" reason={useReason('state:write')} onClick={() => open('new')}>
        {text.state.put}
      </Button>
      <Button icon="edit" reason={mayUpdate} onClick={() => open('edit')}>
        {text.agents.edit}
      </Button>
      <Menu label={text.moreActions} trigger={<Icon name="more" />}>
        <MenuItem icon="cross" danger reason={mayDelete} onSelect={() => open('delete')}>
          {text.state.remove}
        </MenuItem>
      </Menu>
    </>
  )
}

function Entries({ of: namespace, filters }: { of: StateNamespace; filters: Filters }) {
  const text = useText()
  const query = useInfiniteQuery(queries.entries(namespace.name, filters))
  const columns: Column<StateSummary>[] = [
    {
      id: 'key',
      head: text.state.key,
      cell: (entry) => (
        <span className="name">
          <span className="mono">
            <Name of={entry.key} />
          </span>
          {entry.description && <span className="muted truncate">{shown(entry.description)}</span>}
        </span>
      ),
    },
    {
      id: 'visibility',
      head: text.state.visibility,
      cell: (entry) => text.state.visibilities[entry.visibility],
      wide: true,
    },
    { id: 'tags', head: text.state.tags, cell: (entry) => shown(entry.tags.join(', ')), wide: true },
    { id: 'updated', head: text.updated, cell: (entry) => <Time at={entry.updated_at} />, right: true },
  ]
  return (
    <>
      <FilterBar
        values={filters}
        of={[
          { name: 'q', label: text.state.anything, kind: 'search' },
          { name: 'prefix', label: text.state.prefix },
          { name: 'tags', label: text.state.tags },
          {
            name: 'visibility',
            label: text.state.visibility,
            options: VISIBILITIES.map((one) => [one, text.state.visibilities[one]]),
          },
        ]}
      />
      <Listing
        label={text.state.entries}
        query={query}
        columns={columns}
        rowId={(entry) => entry.id}
        rowPath={(entry) => paths.entry(namespace.name, entry.key)}
        empty={
          Object.values(filters).some(Boolean) ? (
            <Empty icon="search" title={text.nothingMatches} />
          ) : (
            <Empty
              icon="store"
              title={text.state.noEntries}
              example={`safeconduct state put ${namespace.name} greeting '"hello"'`}
            />
          )
        }
      />
    </>
  )
}

function Settings({ of: namespace }: { of: StateNamespace }) {
  const text = useText()
  const { full, visibilities } = text.state
  return (
    <div className="columns">
      <Section title={text.state.settings}>
        <Properties
          of={[
            [text.state.entries, full(namespace.entries, namespace.quota_entries)],
            [text.state.bytes, full(namespace.bytes, namespace.quota_bytes)],
            [text.state.defaultVisibility, visibilities[namespace.default_visibility]],
            [text.state.ttl, namespace.ttl_seconds ?? text.noneGiven],
            [text.state.history, namespace.history_depth],
            [text.agents.owner, <Copyable key="owner" value={namespace.owner} />],
            [text.created, <Time key="created" at={namespace.created_at} />],
          ]}
        />
      </Section>
      <Section title={text.state.schema}>
        {namespace.schema ? (
          <>
            {namespace.strict && <p>{text.state.strict}</p>}
            <CodeBlock code={JSON.stringify(namespace.schema, null, 2)} label={text.state.schema} />
          </>
        ) : (
          <p className="muted">{text.noneGiven}</p>
        )}
      </Section>
    </div>
  )
}

interface RemovingProps {
  of: StateNamespace
  onClose: () => void
  onDone: () => void
}

function Removing({ of: namespace, onClose, onDone }: RemovingProps) {
  const text = useText()
  const path = { namespace: namespace.id }
  const change = useChange(
    () => answered(api.DELETE('/api/v1/state/{namespace}', { params: { path } })),
    onDone,
  )
  return (
    <Confirm
      title={text.state.removeTitle(namespace.name)}
      detail={text.state.removeDetail}
      name={namespace.name}
      act={text.state.remove}
      change={change}
      same={{
        method: 'DELETE',
        path: `/api/v1/state/${namespace.name}`,
        cli: command('safeconduct state delete', namespace.name),
      }}
      onClose={onClose}
    />
  )
}
