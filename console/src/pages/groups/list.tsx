import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { queries } from '../../api/queries'
import type { Group } from '../../api/types'
import { GroupForm } from '../../forms/group'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { FilterBar } from '../../table/filters'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Dialog } from '../../ui/dialog'
import { Name, shown } from '../../ui/name'
import { Empty, PageHeader } from '../../ui/page'
import { Time } from '../../ui/time'

const route = getRouteApi('/shell/groups')

export default function Groups() {
  const text = useText()
  const navigate = route.useNavigate()
  const { panel, ...filters } = route.useSearch()
  const query = useInfiniteQuery(queries.groups(filters))
  const open = (next: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, ...{ panel: next as string } }) })
  const none = <span className="muted">–</span>
  const columns: Column<Group>[] = [
    {
      id: 'name',
      head: text.group.name,
      cell: (group) => (
        <span className="name">
          <span>
            <Name of={group.name} />
          </span>
          <span className="muted">
            <Name of={group.description} />
          </span>
        </span>
      ),
    },
    {
      id: 'domain',
      head: text.group.emailDomain,
      cell: (group) => (group.email_domain ? <span className="mono">{group.email_domain}</span> : none),
      wide: true,
    },
    {
      id: 'external',
      head: text.group.externalId,
      cell: (group) =>
        group.external_group_id ? <span className="mono">{shown(group.external_group_id)}</span> : none,
      wide: true,
    },
    { id: 'updated', head: text.updated, cell: (group) => <Time at={group.updated_at} />, right: true },
  ]
  return (
    <>
      <PageHeader
        title={text.place.groups}
        detail={text.group.detail}
        actions={
          <Button look="primary" icon="plus" reason={useReason('groups:create')} onClick={() => open('new')}>
            {text.group.create}
          </Button>
        }
      />
      <FilterBar values={filters} of={[{ name: 'q', label: text.group.search, kind: 'search' }]} />
      <Listing
        label={text.place.groups}
        query={query}
        columns={columns}
        rowId={(group) => group.id}
        rowPath={(group) => paths.group(group.id)}
        empty={
          filters.q ? (
            <Empty icon="search" title={text.nothingMatches} />
          ) : (
            <Empty icon="users" title={text.group.none} example="safeconduct groups create 'Night shift'">
              {text.group.noneDetail}
            </Empty>
          )
        }
      />
      {panel === 'new' && (
        <Dialog title={text.group.create} kind="side" onClose={() => open(undefined)}>
          <GroupForm onDone={(group) => void navigate({ to: paths.group(group.id) })} />
        </Dialog>
      )}
    </>
  )
}
