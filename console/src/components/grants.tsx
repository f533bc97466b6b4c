import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { Grant, Page } from '../api/types'
import { useReason } from '../hooks/rights'
import { paths } from '../paths'
import { type Column, Listing } from '../table/listing'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Name, shown } from '../ui/name'
import { Empty } from '../ui/page'
import { Time } from '../ui/time'
import { Chip } from './identity'

interface GrantTableProps {
  query: UseInfiniteQueryResult<InfiniteData<Page<Grant>>>
  /** Left out where the page is about it. */
  without?: 'principal' | 'what'
  onTake: (grant: Grant) => void
}

/** Who was given what, by whom. */
export function GrantTable({ query, without, onTake }: GrantTableProps) {
  const text = useText()
  const mayTake = useReason('roles:grant')
  const columns: (Column<Grant> | false)[] = [
    without !== 'principal' && {
      id: 'principal',
      head: text.access.principal,
      cell: (grant) => <Chip of={{ kind: grant.principal_kind, id: grant.principal }} />,
    },
    without !== 'what' && {
      id: 'what',
      head: text.access.what,
      cell: (grant) =>
        grant.role ? (
          <Link className="chip" to={paths.role(grant.role)}>
            <Name of={grant.role} />
          </Link>
        ) : (
          <span className="mono break">{shown(grant.permission)}</span>
        ),
    },
    {
      id: 'by',
      head: text.access.grantedBy,
      cell: (grant) => <Chip of={granter(grant.granted_by)} />,
      wide: true,
    },
    { id: 'when', head: text.audit.when, cell: (grant) => <Time at={grant.created_at} />, wide: true },
    {
      id: 'take',
      head: '',
      right: true,
      cell: (grant) => (
        <Button
          look="ghost"
          aria-label={text.access.takeOf(grant.role ?? grant.permission ?? '')}
          reason={mayTake}
          onClick={() => onTake(grant)}
        >
          {text.access.take}
        </Button>
      ),
    },
  ]
  return (
    <Listing
      label={text.access.grants}
      query={query}
      columns={columns.filter((column) => column !== false)}
      rowId={(grant) => grant.id}
      empty={<Empty icon="role" title={text.access.noGrants} />}
    />
  )
}

const kinds: Record<string, string> = { usr: 'user', agt: 'agent' }

/** The platform itself gave what nobody gave. */
function granter(id: string) {
  const kind = kinds[id.split('_')[0] ?? '']
  return kind ? { kind, id } : { kind: 'system', display: id }
}
