import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { queries } from '../../api/queries'
import type { OrgSummary } from '../../api/types'
import { OrgForm } from '../../forms/org'
import { useReason } from '../../hooks/rights'
import { useSwitch } from '../../hooks/switch'
import { paths } from '../../paths'
import { FilterBar } from '../../table/filters'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Dialog } from '../../ui/dialog'
import { Name } from '../../ui/name'
import { Empty, Failure, PageHeader } from '../../ui/page'
import { Status } from '../../ui/status'
import { Time } from '../../ui/time'

const route = getRouteApi('/shell/orgs')

/** Those that somebody belongs to; for operators all of the instance. */
export default function Orgs() {
  const text = useText()
  const navigate = route.useNavigate()
  const { panel, ...filters } = route.useSearch()
  const query = useInfiniteQuery(queries.orgs(filters))
  const mine = useInfiniteQuery(queries.orgs({ mine: 'true' })).data?.pages.flatMap((page) => page.items)
  const change = useSwitch()
  const notOperator = useReason('system:orgs')
  const open = (next: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, ...{ panel: next as string } }) })
  const columns: Column<OrgSummary>[] = [
    { id: 'name', head: text.orgs.name, cell: (org) => <Named of={org} /> },
    {
      id: 'status',
      head: text.statusHead,
      cell: (org) => <Status of={org.status} {...(org.current && { label: text.orgs.current })} />,
    },
    {
      id: 'kind',
      head: text.orgs.sort,
      cell: (org) => (org.home ? text.orgs.home : org.personal ? text.orgs.personal : text.orgs.ordinary),
      wide: true,
    },
    { id: 'created', head: text.created, cell: (org) => <Time at={org.created_at} />, wide: true },
    {
      id: 'switch',
      head: '',
      right: true,
      cell: (org) =>
        mine?.some(({ id }) => id === org.id) && (
          <Button
            look="ghost"
            aria-label={text.orgs.switchTo(org.name)}
            reason={org.current ? text.orgs.hereReason : undefined}
            onClick={() => change.mutate(org.id)}
          >
            {text.orgs.switch}
          </Button>
        ),
    },
  ]
  return (
    <>
      <PageHeader
        title={text.orgs.title}
        detail={text.orgs.detail}
        actions={
          <Button look="primary" icon="plus" reason={notOperator} onClick={() => open('new')}>
            {text.orgs.create}
          </Button>
        }
      />
      <FilterBar
        values={filters}
        of={[
          { name: 'q', label: text.orgs.search, kind: 'search' },
          {
            name: 'status',
            label: text.statusHead,
            options: (['active', 'leaving', 'erasing'] as const).map((s) => [s, text.status[s]]),
          },
          ...(notOperator
            ? []
            : [
                {
                  name: 'mine',
                  label: text.orgs.whose,
                  options: [['true', text.orgs.mineOnly]] as [string, string][],
                },
              ]),
        ]}
      />
      {change.error && <Failure error={change.error} />}
      <Listing
        label={text.orgs.title}
        query={query}
        columns={columns}
        rowId={(org) => org.id}
        rowPath={(org) => (org.current ? paths.org : paths.orgOf(org.slug))}
        empty={<Empty icon="search" title={text.nothingMatches} />}
      />
      {panel === 'new' && (
        <Dialog title={text.orgs.create} kind="side" onClose={() => open(undefined)}>
          <OrgForm onDone={(org) => void navigate({ to: paths.orgOf(org.slug) })} />
        </Dialog>
      )}
    </>
  )
}

function Named({ of: org }: { of: OrgSummary }) {
  return (
    <span className="name">
      <span>
        <Name of={org.name} />
      </span>
      <span className="mono muted">{org.slug}</span>
    </span>
  )
}
