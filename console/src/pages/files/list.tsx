import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { queries } from '../../api/queries'
import type { FileCollection } from '../../api/types'
import { sizeOf } from '../../api/upload'
import { CollectionForm } from '../../forms/collection'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { FilterBar } from '../../table/filters'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Dialog } from '../../ui/dialog'
import { Name } from '../../ui/name'
import { Empty, PageHeader } from '../../ui/page'
import { Time } from '../../ui/time'

const route = getRouteApi('/shell/files')

/** Collections: where files are kept, and how full each is. */
export default function Collections() {
  const text = useText()
  const navigate = route.useNavigate()
  const { panel, ...filters } = route.useSearch()
  const query = useInfiniteQuery(queries.collections(filters))
  const open = (next: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, ...{ panel: next as string } }) })
  const columns: Column<FileCollection>[] = [
    {
      id: 'name',
      head: text.files.name,
      cell: (collection) => (
        <span className="name">
          <span className="mono">
            <Name of={collection.name} />
          </span>
          <span className="muted">
            <Name of={collection.description} />
          </span>
        </span>
      ),
    },
    { id: 'files', head: text.files.files, cell: (collection) => collection.files, right: true },
    {
      id: 'bytes',
      head: text.files.kept,
      cell: (collection) => text.files.full(sizeOf(collection.bytes), sizeOf(collection.quota_bytes)),
      right: true,
    },
    {
      id: 'updated',
      head: text.updated,
      cell: (collection) => <Time at={collection.updated_at} />,
      right: true,
      wide: true,
    },
  ]
  return (
    <>
      <PageHeader
        title={text.place.files}
        detail={text.files.detail}
        actions={
          <Button look="primary" icon="plus" reason={useReason('files:create')} onClick={() => open('new')}>
            {text.files.create}
          </Button>
        }
      />
      <FilterBar values={filters} of={[{ name: 'q', label: text.files.search, kind: 'search' }]} />
      <Listing
        label={text.place.files}
        query={query}
        columns={columns}
        rowId={(collection) => collection.id}
        rowPath={(collection) => paths.collection(collection.name)}
        empty={
          filters.q ? (
            <Empty icon="search" title={text.nothingMatches} />
          ) : (
            <Empty icon="file" title={text.files.none} example="safeconduct files collections create reports">
              {text.files.noneDetail}
            </Empty>
          )
        }
      />
      {panel === 'new' && (
        <Dialog title={text.files.create} kind="side" onClose={() => open(undefined)}>
          <CollectionForm onDone={(collection) => void navigate({ to: paths.collection(collection.name) })} />
        </Dialog>
      )}
    </>
  )
}
