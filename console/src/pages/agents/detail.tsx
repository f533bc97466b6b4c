import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { queries } from '../../api/queries'
import type { Agent } from '../../api/types'
import { Authority } from '../../components/authority'
import { FactTable } from '../../components/facts'
import { Chip } from '../../components/identity'
import { RunTable } from '../../components/runs'
import { Words } from '../../components/words'
import { AgentEdit } from '../../forms/agent-edit'
import { named, useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Copyable, JsonBlock } from '../../ui/copy'
import { Dialog } from '../../ui/dialog'
import { Icon } from '../../ui/icon'
import { Menu, MenuItem } from '../../ui/menu'
import { shown } from '../../ui/name'
import { Failure, PageHeader, Properties, Section, Skeleton } from '../../ui/page'
import { Status } from '../../ui/status'
import { Tabs } from '../../ui/tabs'
import { Time } from '../../ui/time'
import { Advice } from './advice'
import { Credentials } from './credentials'
import { isChange, StateChange } from './state'

const route = getRouteApi('/shell/agents/$agent')

export default function AgentPage() {
  const text = useText()
  const { agent: id } = route.useParams()
  const { tab = 'overview', panel } = route.useSearch()
  const navigate = route.useNavigate()
  const query = useQuery(queries.agent(id))
  const open = (next: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, panel: next as string }) })
  const above = <Link to={paths.agents}>{text.place.agents}</Link>
  if (!query.data) {
    return (
      <>
        <PageHeader title={text.kinds.agent} above={above} />
        {query.isError ? (
          <Failure error={query.error} onRetry={() => void query.refetch()} />
        ) : (
          <Skeleton lines={6} />
        )}
      </>
    )
  }
  const agent = query.data
  return (
    <>
      <PageHeader
        title={agent.display_name || agent.name}
        above={above}
        state={<Status of={agent.status} />}
        detail={<Copyable value={agent.id} />}
        actions={<Actions of={agent} open={open} />}
      />
      <Tabs
        label={text.agents.parts}
        current={tab}
        of={[
          { id: 'overview', label: text.overview },
          { id: 'credentials', label: text.credentials.title },
          { id: 'access', label: text.access.title },
          { id: 'activity', label: text.agents.activity },
          { id: 'runs', label: text.place.runs },
          { id: 'advice', label: text.advice.title },
        ]}
      />
      {tab === 'overview' && <Overview of={agent} />}
      {tab === 'credentials' && <Credentials agent={agent} />}
      {tab === 'access' && (
        <Authority of={{ kind: 'agent', id: agent.id, name: agent.display_name || agent.name }} />
      )}
      {tab === 'advice' && <Advice of={agent} />}
      {tab === 'activity' && <Activity of={agent.id} />}
      {tab === 'runs' && <Runs of={agent.id} />}
      {panel === 'edit' && (
        <Dialog
          title={text.agents.editTitle(agent.display_name || agent.name)}
          kind="side"
          onClose={() => open(undefined)}
        >
          <AgentEdit agent={agent} onDone={() => open(undefined)} />
        </Dialog>
      )}
      {isChange(panel) && <StateChange agent={agent} to={panel} onClose={() => open(undefined)} />}
    </>
  )
}

interface ActionsProps {
  of: Agent
  open: (panel: string) => void
}

function Actions({ of: agent, open }: ActionsProps) {
  const text = useText()
  const of = named(agent)
  const gone = agent.status === 'decommissioned' ? text.agents.goneReason : undefined
  const mayUpdate = useReason('agents:update', { of })
  const mayKill = useReason('agents:update', { of, stepUp: true })
  const mayDelete = useReason('agents:delete', { of })
  return (
    <>
      <Button icon="edit" reason={gone ?? mayUpdate} onClick={() => open('edit')}>
        {text.agents.edit}
      </Button>
      {agent.status === 'pending' ? (
        <Approval of={agent} open={open} />
      ) : agent.status === 'suspended' ? (
        <Button icon="run" reason={gone ?? mayUpdate} onClick={() => open('reactivate')}>
          {text.agents.reactivate}
        </Button>
      ) : (
        <Button icon="pause" reason={gone ?? mayUpdate} onClick={() => open('suspend')}>
          {text.agents.suspend}
        </Button>
      )}
      <Button look="danger" icon="stop" reason={gone ?? mayKill} onClick={() => open('kill')}>
        {text.agents.kill}
      </Button>
      <Menu label={text.moreActions} trigger={<Icon name="more" />}>
        <MenuItem icon="cross" danger reason={gone ?? mayDelete} onSelect={() => open('decommission')}>
          {text.agents.decommission}
        </MenuItem>
      </Menu>
    </>
  )
}

/** Whoever lets an agent act must hold what it holds. */
function Approval({ of: agent, open }: ActionsProps) {
  const text = useText()
  const mayApprove = useReason('agents:approve', { of: named(agent) })
  return (
    <>
      <Button look="primary" icon="check" reason={mayApprove} onClick={() => open('approve')}>
        {text.agents.approve}
      </Button>
      <Button icon="cross" reason={mayApprove} onClick={() => open('reject')}>
        {text.agents.reject}
      </Button>
    </>
  )
}

function Overview({ of: agent }: { of: Agent }) {
  const text = useText()
  const words = (list: string[]) => <Words of={list} />
  return (
    <div className="columns">
      <Section title={text.kinds.agent}>
        <Properties
          of={[
            [text.agents.name, <Copyable key="n" value={`${agent.namespace}:${agent.name}`} />],
            [text.agents.handle, <Copyable key="h" value={agent.handle} />],
            [text.description, shown(agent.description) || <span className="muted">{text.noneGiven}</span>],
            [text.agents.type, agent.type],
            [text.agents.env, text.envs[agent.deployment_env]],
            [text.agents.visibility, text.agents.visibilities[agent.visibility]],
            [
              text.version,
              <span key="v" className="mono">
                {agent.version}
              </span>,
            ],
            [text.agents.owner, <Chip key="o" of={agent.owner} />],
            [text.created, <Time key="c" at={agent.created_at} />],
            [text.agents.lastSeen, <Time key="s" at={agent.last_seen_at} />],
          ]}
        />
      </Section>
      <div>
        <Section title={text.agents.authority}>
          <Properties
            of={[
              [text.agents.roles, words(agent.roles)],
              [text.agents.permissions, words(agent.permissions)],
              [text.agents.capabilities, words(agent.capabilities)],
              [text.tags, words(agent.tags)],
            ]}
          />
        </Section>
        {Object.keys(agent.metadata ?? {}).length > 0 && (
          <Section title={text.metadata}>
            <JsonBlock value={agent.metadata} label={text.metadata} />
          </Section>
        )}
      </div>
    </div>
  )
}

function Activity({ of: id }: { of: string }) {
  const text = useText()
  return (
    <>
      <Section title={text.agents.did}>
        <FactTable query={useInfiniteQuery(queries.facts({ agent: id }))} />
      </Section>
      <Section title={text.agents.suffered}>
        <FactTable query={useInfiniteQuery(queries.facts({ target: id }))} />
      </Section>
    </>
  )
}

function Runs({ of: id }: { of: string }) {
  return <RunTable query={useInfiniteQuery(queries.runs({ agent: id }))} />
}
