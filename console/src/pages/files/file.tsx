import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { answered, api } from '../../api/client'
import { queries } from '../../api/queries'
import type { FileLink, FileVersion, StoredFile } from '../../api/types'
import { sizeOf } from '../../api/upload'
import { Confirm } from '../../components/confirm'
import { command, Equivalent, quoted } from '../../components/equivalent'
import { Loaded } from '../../components/loaded'
import { selectorOf } from '../../forms/entry'
import { FileEdit } from '../../forms/file-edit'
import { useChange } from '../../hooks/change'
import { useReason } from '../../hooks/rights'
import { inPath, paths } from '../../paths'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { CodeBlock, Copyable } from '../../ui/copy'
import { Dialog } from '../../ui/dialog'
import { Field } from '../../ui/form'
import { Icon } from '../../ui/icon'
import { Menu, MenuItem } from '../../ui/menu'
import { shown } from '../../ui/name'
import { Empty, Failure, PageHeader, Properties, Section } from '../../ui/page'
import { Status } from '../../ui/status'
import { Tabs } from '../../ui/tabs'
import { Time } from '../../ui/time'

const route = getRouteApi('/shell/files/$collection/files/$')

/** One file: what is said of it, the versions that it had, the links that open it. */
export default function FilePage() {
  const text = useText()
  const { collection, _splat: name = '' } = route.useParams()
  const { tab = 'overview', panel } = route.useSearch()
  const navigate = route.useNavigate()
  const query = useQuery(queries.file(collection, name))
  const above = <Link to={paths.collection(collection)}>{collection}</Link>
  const open = (next: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, panel: next as string }) })
  const close = () => open(undefined)
  return (
    <Loaded query={query} title={name} above={above}>
      {(file) => (
        <>
          <PageHeader
            title={file.name}
            above={above}
            state={!file.valid && <Status of="warning" label={text.files.invalid} />}
            detail={
              <>
                <Copyable value={file.id} />
                {file.description && <span>{shown(file.description)}</span>}
              </>
            }
            actions={<Actions of={file} open={open} />}
          />
          <Tabs
            label={text.files.fileParts}
            current={tab}
            of={[
              { id: 'overview', label: text.overview },
              { id: 'versions', label: text.files.versions },
              { id: 'links', label: text.files.links },
            ]}
          />
          {tab === 'overview' && <Told of={file} />}
          {tab === 'versions' && <Versions of={file} />}
          {tab === 'links' && <Links of={file} />}
          {panel === 'edit' && (
            <Dialog title={text.files.editTitle(file.name)} kind="side" onClose={close}>
              <FileEdit file={file} onDone={close} />
            </Dialog>
          )}
          {panel === 'link' && (
            <Dialog title={text.files.link} kind="side" onClose={close}>
              <LinkForm of={file} />
            </Dialog>
          )}
          {panel === 'delete' && (
            <Removing
              of={file}
              onClose={close}
              onDone={() => void navigate({ to: paths.collection(collection) })}
            />
          )}
        </>
      )}
    </Loaded>
  )
}

function useMay(permission: 'files:update' | 'files:write' | 'files:delete', file: StoredFile) {
  return useReason(permission, {
    of: { selector: selectorOf(file.collection, file.name), owner: file.owner },
  })
}

/** Where the API has it. */
function apiOf(file: StoredFile, what: 'files' | 'content' | 'links'): string {
  return `/api/v1/collections/${file.collection}/${what}/${inPath(file.name)}`
}

/** Where the content of a file is read; the present version, if none is named. */
function contentOf(file: StoredFile, version?: string): string {
  return `${apiOf(file, 'content')}${version ? `?version=${version}` : ''}`
}

function Actions({ of: file, open }: { of: StoredFile; open: (panel: string) => void }) {
  const text = useText()
  const mayUpdate = useMay('files:update', file)
  const mayDelete = useMay('files:delete', file)
  return (
    <>
      <a className="button primary" href={contentOf(file)} download>
        {text.files.download}
      </a>
      <Button reason={mayUpdate} onClick={() => open('edit')}>
        {text.agents.edit}
      </Button>
      <Button icon="plus" reason={mayUpdate} onClick={() => open('link')}>
        {text.files.link}
      </Button>
      <Menu label={text.moreActions} trigger={<Icon name="more" />}>
        <MenuItem icon="cross" danger reason={mayDelete} onSelect={() => open('delete')}>
          {text.files.remove}
        </MenuItem>
      </Menu>
    </>
  )
}

function Told({ of: file }: { of: StoredFile }) {
  const text = useText()
  return (
    <div className="columns">
      <Section title={text.overview}>
        <Properties
          of={[
            [text.files.type, shown(file.content_type)],
            [text.files.size, sizeOf(file.size)],
            [text.files.hash, <Copyable key="hash" value={file.sha256} />],
            [text.files.number, file.number],
            [text.files.version, <Copyable key="version" value={file.version} />],
            [text.files.tags, shown(file.tags.join(', ')) || text.noneGiven],
            [text.files.visibility, text.files.visibilities[file.visibility]],
            [text.agents.owner, <Copyable key="owner" value={file.owner} />],
            [text.updated, <Time key="updated" at={file.updated_at} />],
            [text.files.by, <Copyable key="by" value={file.updated_by} />],
          ]}
        />
      </Section>
      <Section title={text.files.metadata}>
        {Object.keys(file.metadata).length > 0 ? (
          <CodeBlock code={JSON.stringify(file.metadata, null, 2)} label={text.files.metadata} />
        ) : (
          <p className="muted">{text.noneGiven}</p>
        )}
      </Section>
    </div>
  )
}

function Versions({ of: file }: { of: StoredFile }) {
  const text = useText()
  const query = useInfiniteQuery(queries.fileVersions(file.collection, file.name))
  const mayWrite = useMay('files:write', file)
  const path = { collection: file.collection, name: file.name }
  const restore = useChange((version: string, key) =>
    answered(
      api.POST('/api/v1/collections/{collection}/restore/{name}', {
        body: { version },
        params: { path, header: { 'Idempotency-Key': key } },
        headers: { 'if-match': `"${file.revision}"` },
      }),
    ),
  )
  const columns: Column<FileVersion>[] = [
    {
      id: 'number',
      head: text.files.number,
      cell: (version) => <span className="mono">{version.number}</span>,
    },
    { id: 'size', head: text.files.size, cell: (version) => sizeOf(version.size), right: true },
    {
      id: 'by',
      head: text.files.by,
      cell: (version) => <span className="mono">{version.written_by}</span>,
      wide: true,
    },
    {
      id: 'written',
      head: text.files.written,
      cell: (version) => <Time at={version.written_at} />,
      right: true,
    },
    {
      id: 'download',
      head: text.files.download,
      cell: (version) => (
        <a href={contentOf(file, version.id)} download>
          {text.files.download}
        </a>
      ),
    },
    {
      id: 'restore',
      head: text.files.restore,
      cell: (version) =>
        version.id === file.version ? (
          <span className="muted">{text.files.present}</span>
        ) : (
          <Button reason={mayWrite} busy={restore.isPending} onClick={() => restore.mutate(version.id)}>
            {text.files.restore}
          </Button>
        ),
    },
  ]
  return (
    <>
      {restore.error && <Failure error={restore.error} />}
      <Listing
        label={text.files.versions}
        query={query}
        columns={columns}
        rowId={(version) => version.id}
        empty={<Empty icon="file" title={text.nothingMatches} />}
      />
    </>
  )
}

function Links({ of: file }: { of: StoredFile }) {
  const text = useText()
  const [ending, setEnding] = useState<FileLink>()
  const mayUpdate = useMay('files:update', file)
  const query = useInfiniteQuery({
    ...queries.fileLinks(file.collection, file.name),
    enabled: mayUpdate === undefined,
  })
  if (mayUpdate !== undefined) return <p className="muted">{mayUpdate}</p>
  const columns: Column<FileLink>[] = [
    { id: 'until', head: text.files.until, cell: (link) => <Time at={link.expires_at} /> },
    { id: 'opened', head: text.files.opened, cell: (link) => link.uses, right: true },
    {
      id: 'link',
      head: text.files.links,
      cell: (link) => <Copyable value={link.id} />,
      wide: true,
    },
    {
      id: 'by',
      head: text.files.by,
      cell: (link) => <span className="mono">{link.made_by}</span>,
      wide: true,
    },
    {
      id: 'end',
      head: text.files.end,
      cell: (link) => <Button onClick={() => setEnding(link)}>{text.files.end}</Button>,
    },
  ]
  return (
    <>
      <Listing
        label={text.files.links}
        query={query}
        columns={columns}
        rowId={(link) => link.id}
        empty={<Empty icon="file" title={text.files.noLinks} />}
      />
      {ending && <Ending of={ending} onClose={() => setEnding(undefined)} />}
    </>
  )
}

function Ending({ of: link, onClose }: { of: FileLink; onClose: () => void }) {
  const text = useText()
  const path = { link: link.id }
  const change = useChange(
    () => answered(api.DELETE('/api/v1/file-links/{link}', { params: { path } })),
    onClose,
  )
  return (
    <Confirm
      title={text.files.endTitle}
      detail={text.files.endDetail}
      act={text.files.end}
      change={change}
      same={{
        method: 'DELETE',
        path: `/api/v1/file-links/${link.id}`,
        cli: command('safeconduct files unlink', link.id),
      }}
      onClose={onClose}
    />
  )
}

/** The link is shown here once, and nowhere else. */
function LinkForm({ of: file }: { of: StoredFile }) {
  const text = useText()
  const [lasts, setLasts] = useState(3600)
  const path = { collection: file.collection, name: file.name }
  const body = { expires_in: lasts, version: file.version }
  const make = useChange((_: undefined, key) =>
    answered(
      api.POST('/api/v1/collections/{collection}/links/{name}', {
        body,
        params: { path, header: { 'Idempotency-Key': key } },
      }),
    ),
  )
  const submit = (event: FormEvent) => {
    event.preventDefault()
    make.mutate(undefined)
  }
  if (make.data?.url) {
    return (
      <div className="form">
        <p>{text.files.linkMade}</p>
        <CodeBlock code={make.data.url} label={text.files.link} wrap />
      </div>
    )
  }
  return (
    <form className="form" onSubmit={submit}>
      <p>{text.files.linkDetail}</p>
      <Field label={text.files.lasts}>
        {(ids) => (
          <select {...ids} value={lasts} onChange={(event) => setLasts(Number(event.target.value))}>
            {Object.entries(text.files.spans).map(([seconds, label]) => (
              <option key={seconds} value={seconds}>
                {label}
              </option>
            ))}
          </select>
        )}
      </Field>
      {make.error && <Failure error={make.error} />}
      <Equivalent
        method="POST"
        path={apiOf(file, 'links')}
        body={body}
        cli={command(
          'safeconduct files link',
          file.collection,
          quoted(file.name),
          `--expires-in ${lasts}`,
          `--version ${file.version}`,
        )}
      />
      <footer>
        <Button look="primary" type="submit" busy={make.isPending}>
          {text.files.link}
        </Button>
      </footer>
    </form>
  )
}

interface RemovingProps {
  of: StoredFile
  onClose: () => void
  onDone: () => void
}

function Removing({ of: file, onClose, onDone }: RemovingProps) {
  const text = useText()
  const path = { collection: file.collection, name: file.name }
  const change = useChange(
    () =>
      answered(
        api.DELETE('/api/v1/collections/{collection}/files/{name}', {
          params: { path },
          headers: { 'if-match': `"${file.revision}"` },
        }),
      ),
    onDone,
  )
  return (
    <Confirm
      title={text.files.removeTitle(file.name)}
      detail={text.files.removeFileDetail}
      name={file.name}
      act={text.files.remove}
      change={change}
      same={{
        method: 'DELETE',
        path: apiOf(file, 'files'),
        revision: file.revision,
        cli: command(
          'safeconduct files delete',
          file.collection,
          quoted(file.name),
          `--if-revision ${file.revision}`,
        ),
      }}
      onClose={onClose}
    />
  )
}
