import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { answered, api } from '../../api/client'
import { type Filters, queries } from '../../api/queries'
import type { FileCollection, StoredFile } from '../../api/types'
import { sizeOf } from '../../api/upload'
import { Confirm } from '../../components/confirm'
import { command } from '../../components/equivalent'
import { Loaded } from '../../components/loaded'
import { CollectionForm } from '../../forms/collection'
import { VISIBILITIES } from '../../forms/namespace'
import { UploadForm } from '../../forms/upload'
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
import { Tabs } from '../../ui/tabs'
import { Time } from '../../ui/time'

const route = getRouteApi('/shell/files/$collection')

/** One collection: its files, and how it keeps them. */
export default function CollectionPage() {
  const text = useText()
  const { collection: name } = route.useParams()
  const { tab = 'files', panel, ...filters } = route.useSearch()
  const navigate = route.useNavigate()
  const query = useQuery(queries.collection(name))
  const open = (next: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, panel: next as string }) })
  const close = () => open(undefined)
  const above = <Link to={paths.files}>{text.place.files}</Link>
  return (
    <Loaded query={query} title={name} above={above}>
      {(collection) => (
        <>
          <PageHeader
            title={collection.name}
            above={above}
            detail={
              <>
                <Copyable value={collection.id} />
                {collection.description && <span>{shown(collection.description)}</span>}
              </>
            }
            actions={<Actions of={collection} open={open} />}
          />
          <Tabs
            label={text.files.parts}
            current={tab}
            of={[
              { id: 'files', label: text.files.files },
              { id: 'settings', label: text.files.settings },
            ]}
          />
          {tab === 'files' && <Files of={collection} filters={filters} />}
          {tab === 'settings' && <Settings of={collection} />}
          {panel === 'new' && (
            <Dialog title={text.files.upload} kind="side" onClose={close}>
              <UploadForm
                collection={collection}
                onDone={(file) => void navigate({ to: paths.file(collection.name, file.name) })}
              />
            </Dialog>
          )}
          {panel === 'edit' && (
            <Dialog title={text.files.editTitle(collection.name)} kind="side" onClose={close}>
              <CollectionForm collection={collection} onDone={close} />
            </Dialog>
          )}
          {panel === 'delete' && (
            <Removing of={collection} onClose={close} onDone={() => void navigate({ to: paths.files })} />
          )}
        </>
      )}
    </Loaded>
  )
}

function Actions({ of: collection, open }: { of: FileCollection; open: (panel: string) => void }) {
  const text = useText()
  const of = { selector: collection.name, owner: collection.owner }
  const mayUpdate = useReason('files:update', { of })
  const mayDelete = useReason('files:delete', { of })
  return (
    <>
      <Button icon="plus" look="primary" reason={useReason('files:write')} onClick={() => open('new')}>
        {text.files.upload}
      </Button>
      <Button icon="edit" reason={mayUpdate} onClick={() => open('edit')}>
        {text.agents.edit}
      </Button>
      <Menu label={text.moreActions} trigger={<Icon name="more" />}>
        <MenuItem icon="cross" danger reason={mayDelete} onSelect={() => open('delete')}>
          {text.files.remove}
        </MenuItem>
      </Menu>
    </>
  )
}

function Files({ of: collection, filters }: { of: FileCollection; filters: Filters }) {
  const text = useText()
  const query = useInfiniteQuery(queries.files(collection.name, filters))
  const columns: Column<StoredFile>[] = [
    {
      id: 'name',
      head: text.files.name,
      cell: (file) => (
        <span className="name">
          <span className="mono">
            <Name of={file.name} />
          </span>
          {file.description && <span className="muted truncate">{shown(file.description)}</span>}
        </span>
      ),
    },
    { id: 'size', head: text.files.size, cell: (file) => sizeOf(file.size), right: true },
    { id: 'type', head: text.files.type, cell: (file) => shown(file.content_type), wide: true },
    {
      id: 'visibility',
      head: text.files.visibility,
      cell: (file) => text.files.visibilities[file.visibility],
      wide: true,
    },
    { id: 'tags', head: text.files.tags, cell: (file) => shown(file.tags.join(', ')), wide: true },
    { id: 'updated', head: text.updated, cell: (file) => <Time at={file.updated_at} />, right: true },
  ]
  return (
    <>
      <FilterBar
        values={filters}
        of={[
          { name: 'q', label: text.files.anything, kind: 'search' },
          { name: 'prefix', label: text.files.prefix },
          { name: 'tags', label: text.files.tags },
          {
            name: 'visibility',
            label: text.files.visibility,
            options: VISIBILITIES.map((one) => [one, text.files.visibilities[one]]),
          },
        ]}
      />
      <Listing
        label={text.files.files}
        query={query}
        columns={columns}
        rowId={(file) => file.id}
        rowPath={(file) => paths.file(collection.name, file.name)}
        empty={
          Object.values(filters).some(Boolean) ? (
            <Empty icon="search" title={text.nothingMatches} />
          ) : (
            <Empty
              icon="file"
              title={text.files.noFiles}
              example={`safeconduct files put ${collection.name} monday.pdf`}
            />
          )
        }
      />
    </>
  )
}

function Settings({ of: collection }: { of: FileCollection }) {
  const text = useText()
  const { full, visibilities } = text.files
  const largest = collection.max_file_bytes
  return (
    <div className="columns">
      <Section title={text.files.settings}>
        <Properties
          of={[
            [text.files.files, full(String(collection.files), String(collection.quota_files))],
            [text.files.kept, full(sizeOf(collection.bytes), sizeOf(collection.quota_bytes))],
            [text.files.defaultVisibility, visibilities[collection.default_visibility]],
            [text.files.versionsKept, collection.versions_kept],
            [text.files.largest, largest ? sizeOf(largest) : text.noneGiven],
            [text.files.types, collection.content_types.join(', ') || text.noneGiven],
            [text.agents.owner, <Copyable key="owner" value={collection.owner} />],
            [text.created, <Time key="created" at={collection.created_at} />],
          ]}
        />
      </Section>
      <Section title={text.files.schema}>
        {collection.schema ? (
          <>
            {collection.strict && <p>{text.files.strict}</p>}
            <CodeBlock code={JSON.stringify(collection.schema, null, 2)} label={text.files.schema} />
          </>
        ) : (
          <p className="muted">{text.noneGiven}</p>
        )}
      </Section>
    </div>
  )
}

interface RemovingProps {
  of: FileCollection
  onClose: () => void
  onDone: () => void
}

function Removing({ of: collection, onClose, onDone }: RemovingProps) {
  const text = useText()
  const path = { collection: collection.id }
  const change = useChange(
    () => answered(api.DELETE('/api/v1/collections/{collection}', { params: { path } })),
    onDone,
  )
  return (
    <Confirm
      title={text.files.removeTitle(collection.name)}
      detail={text.files.removeDetail}
      name={collection.name}
      act={text.files.remove}
      change={change}
      same={{
        method: 'DELETE',
        path: `/api/v1/collections/${collection.name}`,
        cli: command('safeconduct files collections delete', collection.name),
      }}
      onClose={onClose}
    />
  )
}
