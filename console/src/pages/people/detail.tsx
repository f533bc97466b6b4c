import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { queries } from '../../api/queries'
import type { Member } from '../../api/types'
import { AgentTable } from '../../components/agents'
import { Authority } from '../../components/authority'
import { FactTable } from '../../components/facts'
import { Chip } from '../../components/identity'
import { Loaded } from '../../components/loaded'
import { Words } from '../../components/words'
import { MemberRoles } from '../../forms/member-roles'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Copyable } from '../../ui/copy'
import { Dialog } from '../../ui/dialog'
import { Icon } from '../../ui/icon'
import { Menu, MenuItem } from '../../ui/menu'
import { Name } from '../../ui/name'
import { PageHeader, Properties, Section } from '../../ui/page'
import { Status } from '../../ui/status'
import { Tabs } from '../../ui/tabs'
import { Time } from '../../ui/time'
import { isStanding, Removal, StandingChange } from './standing'

const route = getRouteApi('/shell/members/$user')

/** One member: who it is, what it holds, which agents are its own, what it did. */
export default function MemberPage() {
  const text = useText()
  const { user } = route.useParams()
  const { tab = 'overview', panel } = route.useSearch()
  const navigate = route.useNavigate()
  const query = useQuery(queries.member(user))
  const open = (next: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, panel: next as string }) })
  const close = () => open(undefined)
  const above = <Link to={paths.members}>{text.place.members}</Link>
  return (
    <Loaded query={query} title={text.people.person} above={above}>
      {(member) => (
        <>
          <PageHeader
            title={member.display_name}
            above={above}
            state={<Status of={member.status} />}
            detail={<Copyable value={member.user} />}
            actions={<Actions of={member} open={open} />}
          />
          <Tabs
            label={text.people.parts}
            current={tab}
            of={[
              { id: 'overview', label: text.overview },
              { id: 'access', label: text.access.title },
              { id: 'agents', label: text.place.agents },
              { id: 'activity', label: text.agents.activity },
            ]}
          />
          {tab === 'overview' && <Overview of={member} />}
          {tab === 'access' && (
            <Authority of={{ kind: 'user', id: member.user, name: member.display_name }} />
          )}
          {tab === 'agents' && <Agents of={member.user} />}
          {tab === 'activity' && <Activity of={member.user} />}
          {panel === 'roles' && (
            <Dialog title={text.people.rolesTitle(member.display_name)} kind="side" onClose={close}>
              <MemberRoles member={member} onDone={close} />
            </Dialog>
          )}
          {isStanding(panel) && <StandingChange of={member} to={panel} onClose={close} />}
          {panel === 'remove' && (
            <Removal of={member} onClose={close} onDone={() => void navigate({ to: paths.members })} />
          )}
        </>
      )}
    </Loaded>
  )
}

interface ActionsProps {
  of: Member
  open: (panel: string) => void
}

function Actions({ of: member, open }: ActionsProps) {
  const text = useText()
  const of = { selector: member.user, owner: member.user }
  const mayUpdate = useReason('members:update', { of, stepUp: true })
  const mayDelete = useReason('members:delete', { of })
  const maySuspend = useReason('users:update', { of: { selector: member.user, owner: '' } })
  const notOperator = useReason('system:users')
  const suspended = member.status === 'suspended'
  return (
    <>
      <Button icon="edit" reason={mayUpdate} onClick={() => open('roles')}>
        {text.people.changeRoles}
      </Button>
      {suspended ? (
        <Button icon="run" reason={maySuspend} onClick={() => open('reactivate')}>
          {text.people.reactivate}
        </Button>
      ) : (
        <Button icon="pause" reason={maySuspend} onClick={() => open('suspend')}>
          {text.people.suspend}
        </Button>
      )}
      <Menu label={text.moreActions} trigger={<Icon name="more" />}>
        <MenuItem icon="cross" danger reason={mayDelete} onSelect={() => open('remove')}>
          {text.people.remove}
        </MenuItem>
        {suspended ? (
          <MenuItem icon="run" reason={notOperator} onSelect={() => open('reactivate-everywhere')}>
            {text.people.reactivateEverywhere}
          </MenuItem>
        ) : (
          <MenuItem icon="pause" danger reason={notOperator} onSelect={() => open('suspend-everywhere')}>
            {text.people.suspendEverywhere}
          </MenuItem>
        )}
      </Menu>
    </>
  )
}

function Overview({ of: member }: { of: Member }) {
  const text = useText()
  const none = <span className="muted">{text.noneGiven}</span>
  const verified = member.email_verified ? text.people.verified : text.people.unverified
  return (
    <div className="columns">
      <Section title={text.people.person}>
        <Properties
          of={[
            [
              text.people.email,
              member.email ? (
                <span key="e">
                  <Name of={member.email} /> <span className="muted">({verified})</span>
                </span>
              ) : (
                none
              ),
            ],
            [text.people.username, member.username ? <Copyable key="u" value={member.username} /> : none],
            [text.people.provider, member.provider ?? none],
            [text.people.lastLogin, <Time key="l" at={member.last_login_at} />],
          ]}
        />
      </Section>
      <Section title={text.people.membership}>
        <Properties
          of={[
            [text.agents.roles, <Words key="r" of={member.roles} />],
            [text.people.joined, <Time key="j" at={member.joined_at} />],
            [
              text.people.invitedBy,
              member.invited_by ? <Chip key="b" of={{ kind: 'user', id: member.invited_by }} /> : none,
            ],
          ]}
        />
      </Section>
    </div>
  )
}

function Agents({ of: user }: { of: string }) {
  return <AgentTable query={useInfiniteQuery(queries.agents({ owner: user }))} />
}

function Activity({ of: user }: { of: string }) {
  const text = useText()
  return (
    <>
      <Section title={text.people.did}>
        <FactTable query={useInfiniteQuery(queries.facts({ actor: user }))} />
      </Section>
      <Section title={text.people.suffered}>
        <FactTable query={useInfiniteQuery(queries.facts({ target: user }))} />
      </Section>
    </>
  )
}
