import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { queries } from '../../api/queries'
import type { Policy } from '../../api/types'
import { Chip } from '../../components/identity'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { shown } from '../../ui/name'
import { Empty, PageHeader } from '../../ui/page'
import { Status } from '../../ui/status'
import { Tabs } from '../../ui/tabs'
import { Time } from '../../ui/time'
import { principalOf } from './principal'
import { Simulator } from './simulator'

const route = getRouteApi('/shell/policies')

/** Versions of the organization's rules, and a question to what is in force. */
export default function Policies() {
  const text = useText()
  const navigate = useNavigate()
  const { tab = 'versions' } = route.useSearch()
  const query = useInfiniteQuery(queries.policies())
  const newest = query.data?.pages[0]?.items[0]
  const mayCreate = useReason('policies:create')
  const columns: Column<Policy>[] = [
    {
      id: 'version',
      head: text.version,
      cell: (policy) => (
        <span className="name">
          <span>{text.policies.version(policy.number)}</span>
          <span className="muted">{shown(policy.description)}</span>
        </span>
      ),
    },
    {
      id: 'state',
      head: text.statusHead,
      cell: (policy) => <Status of={policy.active ? 'in_force' : 'draft'} />,
    },
    {
      id: 'rules',
      head: text.policies.rules,
      cell: (policy) => <span className="mono">{policy.rules}</span>,
      right: true,
      wide: true,
    },
    {
      id: 'author',
      head: text.functions.author,
      cell: (policy) => <Chip of={principalOf(policy.author)} />,
      wide: true,
    },
    {
      id: 'created',
      head: text.created,
      cell: (policy) => <Time at={policy.created_at} />,
      right: true,
      wide: true,
    },
  ]
  return (
    <>
      <PageHeader
        title={text.place.policies}
        detail={text.policies.detail}
        actions={
          <Button
            look="primary"
            icon="plus"
            reason={mayCreate}
            onClick={() => void navigate({ to: paths.newPolicy, search: newest ? { from: newest.id } : {} })}
          >
            {text.policies.create}
          </Button>
        }
      />
      <Tabs
        label={text.policies.parts}
        current={tab}
        of={[
          { id: 'versions', label: text.functions.versions },
          { id: 'simulate', label: text.policies.simulate },
        ]}
      />
      {tab === 'simulate' ? (
        <Simulator />
      ) : (
        <Listing
          label={text.place.policies}
          query={query}
          columns={columns}
          rowId={(policy) => policy.id}
          rowPath={(policy) => paths.policy(policy.id)}
          empty={
            <Empty icon="rule" title={text.policies.none} example="safeconduct policies push agents.rego">
              {text.policies.noneDetail}
            </Empty>
          }
        />
      )}
    </>
  )
}
