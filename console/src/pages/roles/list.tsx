import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { queries } from '../../api/queries'
import type { Grant, Role } from '../../api/types'
import { GrantTable } from '../../components/grants'
import { GrantForm, GrantTaking } from '../../forms/grant'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { FilterBar } from '../../table/filters'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Dialog } from '../../ui/dialog'
import { Name } from '../../ui/name'
import { Empty, PageHeader } from '../../ui/page'
import { Tabs } from '../../ui/tabs'
import { Time } from '../../ui/time'
import { Check } from './check'

const route = getRouteApi('/shell/roles')

/** What can be given, who was given what, and whether somebody may do something. */
export default function Roles() {
  const text = useText()
  const search = route.useSearch()
  const { tab = 'roles', panel } = search
  const go = useNavigate()
  const navigate = route.useNavigate()
  const mayCreate = useReason('roles:create')
  const mayGive = useReason('roles:grant', { stepUp: true })
  const open = (next: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, ...{ panel: next as string } }) })
  return (
    <>
      <PageHeader
        title={text.place.roles}
        detail={text.role.detail}
        actions={
          <>
            <Button reason={mayGive} onClick={() => open('give')}>
              {text.access.give}
            </Button>
            <Button
              look="primary"
              icon="plus"
              reason={mayCreate}
              onClick={() => void go({ to: paths.newRole })}
            >
              {text.role.create}
            </Button>
          </>
        }
      />
      <Tabs
        label={text.place.roles}
        current={tab}
        of={[
          { id: 'roles', label: text.place.roles },
          { id: 'grants', label: text.access.grants },
          { id: 'check', label: text.access.check },
        ]}
      />
      {tab === 'roles' && <RoleTable q={search.q} />}
      {tab === 'grants' && <Grants role={search.role} principal={search.principal} />}
      {tab === 'check' && <Check />}
      {panel === 'give' && (
        <Dialog title={text.access.give} kind="side" onClose={() => open(undefined)}>
          <GrantForm onDone={() => open(undefined)} />
        </Dialog>
      )}
    </>
  )
}

function RoleTable({ q }: { q: string | undefined }) {
  const text = useText()
  const columns: Column<Role>[] = [
    {
      id: 'name',
      head: text.role.name,
      cell: (role) => (
        <span className="name">
          <span className="mono">
            <Name of={role.name} />
          </span>
          <span className="muted">
            <Name of={role.description} />
          </span>
        </span>
      ),
    },
    {
      id: 'kind',
      head: text.orgs.sort,
      cell: (role) => (role.built_in ? text.role.builtIn : text.role.own),
      wide: true,
    },
    {
      id: 'permissions',
      head: text.access.permissions,
      cell: (role) => <span className="mono">{role.permissions.length}</span>,
      right: true,
    },
    {
      id: 'updated',
      head: text.updated,
      cell: (role) => <Time at={role.updated_at} />,
      wide: true,
      right: true,
    },
  ]
  return (
    <>
      <FilterBar values={{ q }} of={[{ name: 'q', label: text.role.search, kind: 'search' }]} />
      <Listing
        label={text.place.roles}
        query={useInfiniteQuery(queries.roles({ q }))}
        columns={columns}
        rowId={(role) => role.name}
        rowPath={(role) => paths.role(role.name)}
        empty={<Empty icon="search" title={text.nothingMatches} />}
      />
    </>
  )
}

interface GrantsProps {
  role: string | undefined
  principal: string | undefined
}

function Grants({ role, principal }: GrantsProps) {
  const text = useText()
  const [taking, setTaking] = useState<Grant>()
  const roles = useInfiniteQuery(queries.roles()).data?.pages.flatMap((page) => page.items) ?? []
  return (
    <>
      <FilterBar
        values={{ role, principal }}
        of={[
          { name: 'role', label: text.access.role, options: roles.map(({ name }) => [name, name]) },
          { name: 'principal', label: text.access.principal, find: ['user', 'agent', 'group'] },
        ]}
      />
      <GrantTable query={useInfiniteQuery(queries.grants({ role, principal }))} onTake={setTaking} />
      {taking && <GrantTaking of={taking} onClose={() => setTaking(undefined)} />}
    </>
  )
}
