import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { answered, api } from '../../api/client'
import { queries } from '../../api/queries'
import type { Group } from '../../api/types'
import { AgentTable } from '../../components/agents'
import { Authority } from '../../components/authority'
import { Confirm } from '../../components/confirm'
import { Loaded } from '../../components/loaded'
import { GroupForm } from '../../forms/group'
import { useChange } from '../../hooks/change'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Copyable } from '../../ui/copy'
import { Dialog } from '../../ui/dialog'
import { Icon } from '../../ui/icon'
import { Menu, MenuItem } from '../../ui/menu'
import { shown } from '../../ui/name'
import { PageHeader, Section } from '../../ui/page'
import { Tabs } from '../../ui/tabs'
import { Members } from './members'

const route = getRouteApi('/shell/groups/$group')

/** One group: who is in it, what it holds for them, which agents are its. */
export default function GroupPage() {
  const text = useText()
  const { group: id } = route.useParams()
  const { tab = 'members', panel } = route.useSearch()
  const navigate = route.useNavigate()
  const query = useQuery(queries.group(id))
  const open = (next: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, panel: next as string }) })
  const close = () => open(undefined)
  const above = <Link to={paths.groups}>{text.place.groups}</Link>
  return (
    <Loaded query={query} title={text.kinds.group} above={above}>
      {(group) => (
        <>
          <PageHeader
            title={group.name}
            above={above}
            detail={
              <>
                <Copyable value={group.id} />
                {group.description && <span>{shown(group.description)}</span>}
                {group.email_domain && <span>{text.group.joins(group.email_domain)}</span>}
                {group.external_group_id && (
                  <span>
                    {text.group.externalId}: <Copyable value={group.external_group_id} />
                  </span>
                )}
              </>
            }
            actions={<Actions of={group} open={open} />}
          />
          <Tabs
            label={text.group.parts}
            current={tab}
            of={[
              { id: 'members', label: text.people.members },
              { id: 'access', label: text.access.title },
              { id: 'agents', label: text.place.agents },
            ]}
          />
          {tab === 'members' && <Members of={group} />}
          {tab === 'access' && <Authority of={{ kind: 'group', id: group.id, name: group.name }} />}
          {tab === 'agents' && <Agents of={group.id} />}
          {panel === 'edit' && (
            <Dialog title={text.group.editTitle(group.name)} kind="side" onClose={close}>
              <GroupForm group={group} onDone={close} />
            </Dialog>
          )}
          {panel === 'delete' && (
            <Ending of={group} onClose={close} onDone={() => void navigate({ to: paths.groups })} />
          )}
        </>
      )}
    </Loaded>
  )
}

function Actions({ of: group, open }: { of: Group; open: (panel: string) => void }) {
  const text = useText()
  const of = { selector: group.id, owner: '' }
  const mayUpdate = useReason('groups:update', { of })
  const mayDelete = useReason('groups:delete', { of })
  return (
    <>
      <Button icon="edit" reason={mayUpdate} onClick={() => open('edit')}>
        {text.agents.edit}
      </Button>
      <Menu label={text.moreActions} trigger={<Icon name="more" />}>
        <MenuItem icon="cross" danger reason={mayDelete} onSelect={() => open('delete')}>
          {text.group.remove}
        </MenuItem>
      </Menu>
    </>
  )
}

/** Agents of the group: it owns them, or its members see them by their visibility. */
function Agents({ of: id }: { of: string }) {
  const text = useText()
  return (
    <>
      <Section title={text.group.owns}>
        <AgentTable query={useInfiniteQuery(queries.agents({ owner: id }))} />
      </Section>
      <Section title={text.group.sees}>
        <p className="muted">{text.group.seesDetail}</p>
        <AgentTable query={useInfiniteQuery(queries.agents({ group: id }))} />
      </Section>
    </>
  )
}

interface EndingProps {
  of: Group
  onClose: () => void
  onDone: () => void
}

function Ending({ of: group, onClose, onDone }: EndingProps) {
  const text = useText()
  const change = useChange(
    () => answered(api.DELETE('/api/v1/groups/{group}', { params: { path: { group: group.id } } })),
    onDone,
  )
  return (
    <Confirm
      title={text.group.removeTitle(group.name)}
      detail={text.group.removeDetail}
      name={group.name}
      act={text.group.remove}
      change={change}
      same={{
        method: 'DELETE',
        path: `/api/v1/groups/${group.id}`,
        cli: `safeconduct groups delete ${group.id}`,
      }}
      onClose={onClose}
    />
  )
}
