import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { queries } from '../../api/queries'
import type { FnSummary } from '../../api/types'
import { Chip } from '../../components/identity'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { FilterBar } from '../../table/filters'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Name, shown } from '../../ui/name'
import { Empty, PageHeader } from '../../ui/page'
import { Time } from '../../ui/time'

const route = getRouteApi('/shell/functions')

export default function Functions() {
  const text = useText()
  const navigate = useNavigate()
  const filters = route.useSearch()
  const query = useInfiniteQuery(queries.functions(filters))
  const columns: Column<FnSummary>[] = [
    {
      id: 'name',
      head: text.agents.name,
      cell: (fn) => (
        <span className="name">
          <span className="mono">
            <Name of={`${fn.namespace}:${fn.name}`} />
          </span>
          {fn.description && <span className="muted truncate">{shown(fn.description)}</span>}
        </span>
      ),
    },
    { id: 'version', head: text.version, cell: (fn) => <span className="mono">v{fn.versions}</span> },
    { id: 'owner', head: text.agents.owner, cell: (fn) => <Chip of={fn.owner} />, wide: true },
    { id: 'updated', head: text.updated, cell: (fn) => <Time at={fn.updated_at} />, right: true },
  ]
  return (
    <>
      <PageHeader
        title={text.place.functions}
        detail={text.functions.detail}
        actions={
          <Button
            look="primary"
            icon="plus"
            reason={useReason('functions:create')}
            onClick={() => void navigate({ to: '/functions/new' })}
          >
            {text.functions.create}
          </Button>
        }
      />
      <FilterBar
        values={filters}
        of={[
          { name: 'q', label: text.functions.search, kind: 'search' },
          { name: 'package', label: text.packages.name },
        ]}
      />
      <Listing
        label={text.place.functions}
        query={query}
        columns={columns}
        rowId={(fn) => fn.id}
        rowPath={(fn) => paths.fn(fn.id)}
        empty={
          filters.q ? (
            <Empty icon="search" title={text.nothingMatches} />
          ) : (
            <Empty
              icon="function"
              title={text.functions.none}
              example="safeconduct functions push handler.py --name demo:double"
            >
              {text.functions.noneDetail}
            </Empty>
          )
        }
      />
    </>
  )
}
