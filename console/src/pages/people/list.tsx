import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { queries } from '../../api/queries'
import type { Invited, Member } from '../../api/types'
import { Words } from '../../components/words'
import { InvitationForm } from '../../forms/invitation'
import { PersonForm } from '../../forms/person'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { FilterBar } from '../../table/filters'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Dialog } from '../../ui/dialog'
import { Name, shown } from '../../ui/name'
import { Empty, PageHeader } from '../../ui/page'
import { Status } from '../../ui/status'
import { Tabs } from '../../ui/tabs'
import { Time } from '../../ui/time'
import { InvitationLink, Invitations } from './invitations'

const route = getRouteApi('/shell/members')

/** Who belongs to the organization, and who is invited. */
export default function People() {
  const text = useText()
  const go = useNavigate()
  const navigate = route.useNavigate()
  const { tab = 'members', panel, ...filters } = route.useSearch()
  const [invited, setInvited] = useState<Invited>()
  const mayInvite = useReason('members:create', { stepUp: true })
  const mayCreate = useReason('users:create', { stepUp: true })
  const open = (next: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, ...{ panel: next as string } }) })
  return (
    <>
      <PageHeader
        title={text.place.members}
        detail={text.people.detail}
        actions={
          <>
            <Button reason={mayCreate} onClick={() => void go({ to: paths.importPeople })}>
              {text.people.import}
            </Button>
            <Button reason={mayCreate} onClick={() => open('create')}>
              {text.people.create}
            </Button>
            <Button look="primary" icon="plus" reason={mayInvite} onClick={() => open('invite')}>
              {text.people.invite}
            </Button>
          </>
        }
      />
      <Tabs
        label={text.place.members}
        current={tab}
        of={[
          { id: 'members', label: text.people.members },
          { id: 'invitations', label: text.people.invitations },
        ]}
      />
      {tab === 'members' && <Members filters={filters} />}
      {tab === 'invitations' && <Invitations status={filters.status} onLink={setInvited} />}
      {panel === 'invite' && (
        <Dialog title={text.people.invite} kind="side" onClose={() => open(undefined)}>
          <InvitationForm
            onDone={(made) => {
              open(undefined)
              setInvited(made)
            }}
          />
        </Dialog>
      )}
      {panel === 'create' && (
        <Dialog title={text.people.create} kind="side" onClose={() => open(undefined)}>
          <PersonForm onDone={(user) => void navigate({ to: paths.member(user.id) })} />
        </Dialog>
      )}
      {invited && <InvitationLink of={invited} onClose={() => setInvited(undefined)} />}
    </>
  )
}

function Members({ filters }: { filters: Record<string, string> }) {
  const text = useText()
  const query = useInfiniteQuery(queries.members(filters))
  const roles = useInfiniteQuery(queries.roles()).data?.pages.flatMap((page) => page.items) ?? []
  const columns: Column<Member>[] = [
    {
      id: 'name',
      head: text.people.person,
      cell: (member) => (
        <span className="name">
          <span>
            <Name of={member.display_name} />
          </span>
          <span className="muted">{shown(member.email ?? member.username)}</span>
        </span>
      ),
    },
    { id: 'status', head: text.statusHead, cell: (member) => <Status of={member.status} /> },
    { id: 'roles', head: text.agents.roles, cell: (member) => <Words of={member.roles} />, wide: true },
    { id: 'joined', head: text.people.joined, cell: (member) => <Time at={member.joined_at} />, wide: true },
    {
      id: 'seen',
      head: text.people.lastLogin,
      cell: (member) => <Time at={member.last_login_at} />,
      right: true,
    },
  ]
  return (
    <>
      <FilterBar
        values={filters}
        of={[
          { name: 'q', label: text.people.search, kind: 'search' },
          {
            name: 'status',
            label: text.statusHead,
            options: (['active', 'suspended'] as const).map((s) => [s, text.status[s]]),
          },
          { name: 'role', label: text.access.role, options: roles.map(({ name }) => [name, name]) },
        ]}
      />
      <Listing
        label={text.people.members}
        query={query}
        columns={columns}
        rowId={(member) => member.user}
        rowPath={(member) => paths.member(member.user)}
        empty={<Empty icon="search" title={text.nothingMatches} />}
      />
    </>
  )
}
