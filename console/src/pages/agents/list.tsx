import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { queries } from '../../api/queries'
import type { Agent } from '../../api/types'
import { Chip } from '../../components/identity'
import { AgentForm } from '../../forms/agent'
import { agentTypes } from '../../forms/agent-draft'
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

const route = getRouteApi('/shell/agents')

export default function Agents() {
  const text = useText()
  const navigate = route.useNavigate()
  const { panel, ...filters } = route.useSearch()
  const query = useInfiniteQuery(queries.agents(filters))
  const open = (panel: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, ...{ panel: panel as string } }) })
  const columns: Column<Agent>[] = [
    { id: 'name', head: text.agents.name, cell: (agent) => <Named of={agent} /> },
    { id: 'status', head: text.statusHead, cell: (agent) => <Status of={agent.status} /> },
    { id: 'type', head: text.agents.type, cell: (agent) => agent.type, wide: true },
    { id: 'env', head: text.agents.env, cell: (agent) => text.envs[agent.deployment_env], wide: true },
    { id: 'owner', head: text.agents.owner, cell: (agent) => <Chip of={agent.owner} />, wide: true },
    {
      id: 'seen',
      head: text.agents.lastSeen,
      cell: (agent) => <Time at={agent.last_seen_at} />,
      right: true,
    },
  ]
  const filtered = Object.values(filters).some(Boolean)
  return (
    <>
      <PageHeader
        title={text.place.agents}
        detail={text.agents.detail}
        actions={
          <Button look="primary" icon="plus" reason={useReason('agents:create')} onClick={() => open('new')}>
            {text.agents.register}
          </Button>
        }
      />
      <FilterBar
        values={filters}
        of={[
          { name: 'q', label: text.agents.search, kind: 'search' },
          {
            name: 'status',
            label: text.statusHead,
            options: (['pending', 'active', 'suspended', 'decommissioned'] as const).map((s) => [
              s,
              text.status[s],
            ]),
          },
          { name: 'env', label: text.agents.env, options: Object.entries(text.envs) },
          { name: 'type', label: text.agents.type, options: agentTypes.map((type) => [type, type]) },
        ]}
      />
      <Listing
        label={text.place.agents}
        query={query}
        columns={columns}
        rowId={(agent) => agent.id}
        rowPath={(agent) => paths.agent(agent.id)}
        empty={
          filtered ? (
            <Empty icon="search" title={text.nothingMatches} />
          ) : (
            <Empty
              icon="agent"
              title={text.agents.none}
              example="safeconduct agents register demo:billing --type extractor"
            >
              {text.agents.noneDetail}
            </Empty>
          )
        }
      />
      {panel === 'new' && (
        <Dialog title={text.agents.register} kind="side" onClose={() => open(undefined)}>
          <AgentForm onDone={(agent) => void navigate({ to: paths.agent(agent.id) })} />
        </Dialog>
      )}
    </>
  )
}

function Named({ of: agent }: { of: Agent }) {
  return (
    <span className="name">
      <span>
        <Name of={agent.display_name || agent.name} />
      </span>
      <span className="mono muted">
        <Name of={`${agent.namespace}:${agent.name}`} />
      </span>
    </span>
  )
}
