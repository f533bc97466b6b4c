import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { answered, api } from '../../api/client'
import { queries } from '../../api/queries'
import type { StateEntry, StateNamespace, StateRevision } from '../../api/types'
import { Confirm } from '../../components/confirm'
import { command, quoted } from '../../components/equivalent'
import { Loaded } from '../../components/loaded'
import { EntryForm, selectorOf } from '../../forms/entry'
import { useChange } from '../../hooks/change'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Copyable } from '../../ui/copy'
import { Name, shown } from '../../ui/name'
import { Empty, PageHeader, Properties, Section } from '../../ui/page'
import { Status } from '../../ui/status'
import { Tabs } from '../../ui/tabs'
import { Time } from '../../ui/time'

const route = getRouteApi('/shell/state/$namespace/entries/$')

/** One entry. A secret one is read when somebody asks for it, not by looking at its address. */
export default function EntryPage() {
  const text = useText()
  const { namespace: name, _splat: key = '' } = route.useParams()
  const [asked, setAsked] = useState<string>()
  const query = useQuery(queries.namespace(name))
  const above = <Link to={paths.namespace(name)}>{name}</Link>
  return (
    <Loaded query={query} title={key} above={above}>
      {(namespace) =>
        namespace.secret && asked !== key ? (
          <>
            <PageHeader title={key} above={above} state={<Status of="off" label={text.state.secret} />} />
            <p className="muted">{text.state.secretValue}</p>
            <p>
              <Button look="primary" onClick={() => setAsked(key)}>
                {text.state.reveal}
              </Button>
            </p>
          </>
        ) : (
          <Read namespace={namespace} of={key} />
        )
      }
    </Loaded>
  )
}

function Read({ namespace, of: key }: { namespace: StateNamespace; of: string }) {
  const text = useText()
  const { tab = 'value', panel } = route.useSearch()
  const navigate = route.useNavigate()
  const query = useQuery(queries.entry(namespace.name, key))
  const above = <Link to={paths.namespace(namespace.name)}>{namespace.name}</Link>
  const open = (next: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, panel: next as string }) })
  return (
    <Loaded query={query} title={key} above={above}>
      {(entry) => (
        <>
          <PageHeader
            title={entry.key}
            above={above}
            state={!entry.valid && <Status of="warning" label={text.state.invalid} />}
            detail={
              <>
                <Copyable value={entry.id} />
                {entry.description && <span>{shown(entry.description)}</span>}
              </>
            }
            actions={<Removal namespace={namespace} of={entry} open={() => open('delete')} />}
          />
          <Tabs
            label={text.state.entryParts}
            current={tab}
            of={[
              { id: 'value', label: text.state.value },
              { id: 'history', label: text.state.past },
            ]}
          />
          {tab === 'value' && (
            <div className="workbench">
              <Section title={text.state.value}>
                <EntryForm
                  key={entry.revision}
                  namespace={namespace}
                  entry={entry}
                  onDone={() => void query.refetch()}
                />
              </Section>
              <Section title={text.overview}>
                <Told of={entry} />
              </Section>
            </div>
          )}
          {tab === 'history' && <Past namespace={namespace} of={entry.key} />}
          {panel === 'delete' && (
            <Removing
              namespace={namespace}
              of={entry}
              onClose={() => open(undefined)}
              onDone={() => void navigate({ to: paths.namespace(namespace.name) })}
            />
          )}
        </>
      )}
    </Loaded>
  )
}

function Told({ of: entry }: { of: StateEntry }) {
  const text = useText()
  return (
    <Properties
      of={[
        [text.state.revision, entry.revision],
        [text.state.visibility, text.state.visibilities[entry.visibility]],
        [text.agents.owner, <Copyable key="owner" value={entry.owner} />],
        [text.state.expires, entry.expires_at ? <Time key="end" at={entry.expires_at} /> : text.noneGiven],
        [text.updated, <Time key="updated" at={entry.updated_at} />],
        [text.state.by, <Copyable key="by" value={entry.updated_by} />],
      ]}
    />
  )
}

function Past({ namespace, of: key }: { namespace: StateNamespace; of: string }) {
  const text = useText()
  const query = useInfiniteQuery(queries.entryHistory(namespace.name, key))
  const columns: Column<StateRevision>[] = [
    {
      id: 'revision',
      head: text.state.revision,
      cell: (past) => <span className="mono">{past.revision}</span>,
    },
    {
      id: 'value',
      head: text.state.value,
      cell: (past) =>
        past.value === undefined ? (
          <span className="muted">{text.state.hidden}</span>
        ) : (
          <span className="mono break">
            <Name of={beginning(JSON.stringify(past.value))} />
          </span>
        ),
    },
    {
      id: 'by',
      head: text.state.by,
      cell: (past) => <span className="mono">{past.written_by}</span>,
      wide: true,
    },
    { id: 'written', head: text.state.written, cell: (past) => <Time at={past.written_at} />, right: true },
  ]
  return (
    <Listing
      label={text.state.past}
      query={query}
      columns={columns}
      rowId={(past) => String(past.revision)}
      empty={<Empty icon="store" title={text.state.noPast} />}
    />
  )
}

/** A value may have 256 KB; a table shows how it begins. */
function beginning(json: string): string {
  return json.length > 500 ? `${json.slice(0, 500)}…` : json
}

interface OfEntry {
  namespace: StateNamespace
  of: StateEntry
}

function Removal({ namespace, of: entry, open }: OfEntry & { open: () => void }) {
  const text = useText()
  const of = { selector: selectorOf(namespace.name, entry.key), owner: entry.owner }
  return (
    <Button icon="cross" reason={useReason('state:delete', { of })} onClick={open}>
      {text.state.remove}
    </Button>
  )
}

function Removing({
  namespace,
  of: entry,
  onClose,
  onDone,
}: OfEntry & { onClose: () => void; onDone: () => void }) {
  const text = useText()
  const path = { namespace: namespace.name, key: entry.key }
  const change = useChange(
    () =>
      answered(
        api.DELETE('/api/v1/state/{namespace}/entries/{key}', {
          params: { path },
          headers: { 'if-match': `"${entry.revision}"` },
        }),
      ),
    onDone,
  )
  return (
    <Confirm
      title={text.state.removeTitle(entry.key)}
      detail={text.state.removeEntryDetail}
      act={text.state.remove}
      change={change}
      same={{
        method: 'DELETE',
        path: `/api/v1${paths.entry(namespace.name, entry.key)}`,
        revision: entry.revision,
        cli: command('safeconduct state remove', namespace.name, quoted(entry.key)),
      }}
      onClose={onClose}
    />
  )
}
