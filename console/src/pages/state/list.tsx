import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { queries } from '../../api/queries'
import type { StateNamespace } from '../../api/types'
import { NamespaceForm } from '../../forms/namespace'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { FilterBar } from '../../table/filters'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Dialog } from '../../ui/dialog'
import { Name } from '../../ui/name'
import { Empty, PageHeader } from '../../ui/page'
import { Status } from '../../ui/status'
import { Time } from '../../ui/time'

const route = getRouteApi('/shell/state')

/** Namespaces: what is remembered here, and how full each is. */
export default function Namespaces() {
  const text = useText()
  const navigate = route.useNavigate()
  const { panel, ...filters } = route.useSearch()
  const query = useInfiniteQuery(queries.namespaces(filters))
  const open = (next: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, ...{ panel: next as string } }) })
  const columns: Column<StateNamespace>[] = [
    {
      id: 'name',
      head: text.state.name,
      cell: (namespace) => (
        <span className="name">
          <span className="mono">
            <Name of={namespace.name} />
          </span>
          <span className="muted">
            <Name of={namespace.description} />
          </span>
        </span>
      ),
    },
    {
      id: 'entries',
      head: text.state.entries,
      cell: (namespace) => text.state.full(namespace.entries, namespace.quota_entries),
      right: true,
    },
    {
      id: 'secret',
      head: text.state.values,
      cell: (namespace) => namespace.secret && <Status of="off" label={text.state.secret} />,
      wide: true,
    },
    {
      id: 'updated',
      head: text.updated,
      cell: (namespace) => <Time at={namespace.updated_at} />,
      right: true,
      wide: true,
    },
  ]
  return (
    <>
      <PageHeader
        title={text.place.state}
        detail={text.state.detail}
        actions={
          <Button look="primary" icon="plus" reason={useReason('state:create')} onClick={() => open('new')}>
            {text.state.create}
          </Button>
        }
      />
      <FilterBar values={filters} of={[{ name: 'q', label: text.state.search, kind: 'search' }]} />
      <Listing
        label={text.place.state}
        query={query}
        columns={columns}
        rowId={(namespace) => namespace.id}
        rowPath={(namespace) => paths.namespace(namespace.name)}
        empty={
          filters.q ? (
            <Empty icon="search" title={text.nothingMatches} />
          ) : (
            <Empty icon="store" title={text.state.none} example="safeconduct state create notes">
              {text.state.noneDetail}
            </Empty>
          )
        }
      />
      {panel === 'new' && (
        <Dialog title={text.state.create} kind="side" onClose={() => open(undefined)}>
          <NamespaceForm onDone={(namespace) => void navigate({ to: paths.namespace(namespace.name) })} />
        </Dialog>
      )}
    </>
  )
}
