import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { queries } from '../../api/queries'
import type { Secret } from '../../api/types'
import { SecretForm } from '../../forms/secret'
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

const route = getRouteApi('/shell/secrets')

/** Secrets: their names, where each may go, how old its value is. */
export default function Secrets() {
  const text = useText()
  const navigate = route.useNavigate()
  const { panel, ...filters } = route.useSearch()
  const query = useInfiniteQuery(queries.secrets(filters))
  const open = (next: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, ...{ panel: next as string } }) })
  const columns: Column<Secret>[] = [
    {
      id: 'name',
      head: text.secrets.name,
      cell: (secret) => (
        <span className="name">
          <span className="mono">
            <Name of={secret.name} />
          </span>
          <span className="muted">
            <Name of={secret.description} />
          </span>
        </span>
      ),
    },
    {
      id: 'goes',
      head: text.secrets.goesTo,
      cell: (secret) => (secret.hosts.length > 0 ? shown(secret.hosts.join(', ')) : text.secrets.toCode),
    },
    { id: 'version', head: text.secrets.version, cell: (secret) => secret.version, right: true, wide: true },
    {
      id: 'since',
      head: text.secrets.since,
      cell: (secret) => <Time at={secret.replaced_at} />,
      right: true,
      wide: true,
    },
  ]
  return (
    <>
      <PageHeader
        title={text.place.secrets}
        detail={text.secrets.detail}
        actions={
          <Button look="primary" icon="plus" reason={useReason('secrets:create')} onClick={() => open('new')}>
            {text.secrets.create}
          </Button>
        }
      />
      <FilterBar values={filters} of={[{ name: 'q', label: text.secrets.search, kind: 'search' }]} />
      <Listing
        label={text.place.secrets}
        query={query}
        columns={columns}
        rowId={(secret) => secret.id}
        rowPath={(secret) => paths.secret(secret.name)}
        empty={
          filters.q ? (
            <Empty icon="search" title={text.nothingMatches} />
          ) : (
            <Empty
              icon="key"
              title={text.secrets.none}
              example="safeconduct secrets create CRM_TOKEN --from token.txt --host api.crm.example"
            >
              {text.secrets.noneDetail}
            </Empty>
          )
        }
      />
      {panel === 'new' && (
        <Dialog title={text.secrets.create} kind="side" onClose={() => open(undefined)}>
          <SecretForm onDone={(secret) => void navigate({ to: paths.secret(secret.name) })} />
        </Dialog>
      )}
    </>
  )
}
