import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query'
import type { Agent, Page } from '../api/types'
import { paths } from '../paths'
import { type Column, Listing } from '../table/listing'
import { useText } from '../text'
import { Name } from '../ui/name'
import { Empty } from '../ui/page'
import { Status } from '../ui/status'
import { Time } from '../ui/time'

/** Agents of somebody or of some group, in short. */
export function AgentTable({ query }: { query: UseInfiniteQueryResult<InfiniteData<Page<Agent>>> }) {
  const text = useText()
  const columns: Column<Agent>[] = [
    {
      id: 'name',
      head: text.agents.name,
      cell: (agent) => (
        <span className="name">
          <span>
            <Name of={agent.display_name || agent.name} />
          </span>
          <span className="mono muted">
            <Name of={`${agent.namespace}:${agent.name}`} />
          </span>
        </span>
      ),
    },
    { id: 'status', head: text.statusHead, cell: (agent) => <Status of={agent.status} /> },
    {
      id: 'visibility',
      head: text.agents.visibility,
      cell: (agent) => text.agents.visibilities[agent.visibility],
      wide: true,
    },
    {
      id: 'seen',
      head: text.agents.lastSeen,
      cell: (agent) => <Time at={agent.last_seen_at} />,
      right: true,
    },
  ]
  return (
    <Listing
      label={text.place.agents}
      query={query}
      columns={columns}
      rowId={(agent) => agent.id}
      rowPath={(agent) => paths.agent(agent.id)}
      empty={<Empty icon="agent" title={text.agents.none} />}
    />
  )
}
