import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { answered, api } from '../../api/client'
import { queries } from '../../api/queries'
import type { Grant, Role } from '../../api/types'
import { Confirm } from '../../components/confirm'
import { command, quoted } from '../../components/equivalent'
import { GrantTable } from '../../components/grants'
import { Loaded } from '../../components/loaded'
import { OpenedBy } from '../../components/opened'
import { Words } from '../../components/words'
import { GrantForm, GrantTaking } from '../../forms/grant'
import { RoleForm } from '../../forms/role'
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
import { Status } from '../../ui/status'
import { Tabs } from '../../ui/tabs'

const route = getRouteApi('/shell/roles/$role')

/** One role: what it allows, what that opens, and who holds it. */
export default function RolePage() {
  const text = useText()
  const { role: name } = route.useParams()
  const { tab = 'permissions', panel } = route.useSearch()
  const navigate = route.useNavigate()
  const query = useQuery(queries.role(name))
  const open = (next: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, panel: next as string }) })
  const close = () => open(undefined)
  const above = <Link to={paths.roles}>{text.place.roles}</Link>
  return (
    <Loaded query={query} title={text.kinds.role} above={above}>
      {(role) => (
        <>
          <PageHeader
            title={panel === 'edit' ? text.role.editTitle(role.name) : role.name}
            above={above}
            state={role.built_in && <Status of="off" label={text.role.builtIn} />}
            detail={
              <>
                {role.id && <Copyable value={role.id} />}
                <span>{shown(role.description)}</span>
              </>
            }
            actions={panel !== 'edit' && <Actions of={role} open={open} />}
          />
          {panel === 'edit' ? (
            <RoleForm role={role} onDone={close} onCancel={close} />
          ) : (
            <>
              <Tabs
                label={text.role.parts}
                current={tab}
                of={[
                  { id: 'permissions', label: text.access.permissions },
                  { id: 'holders', label: text.role.holders },
                ]}
              />
              {tab === 'permissions' && (
                <div className="columns">
                  <Section title={text.access.permissions}>
                    <Words of={role.permissions} />
                  </Section>
                  <OpenedBy permissions={role.permissions} />
                </div>
              )}
              {tab === 'holders' && <Holders of={role} />}
            </>
          )}
          {panel === 'give' && (
            <Dialog title={text.role.giveTitle(role.name)} kind="side" onClose={close}>
              <GrantForm role={role.name} onDone={close} />
            </Dialog>
          )}
          {panel === 'delete' && (
            <Deleting of={role} onClose={close} onDone={() => void navigate({ to: paths.roles })} />
          )}
        </>
      )}
    </Loaded>
  )
}

function Actions({ of: role, open }: { of: Role; open: (panel: string) => void }) {
  const text = useText()
  const of = { selector: role.name, owner: '' }
  const mayUpdate = useReason('roles:update', { of, stepUp: true })
  const mayDelete = useReason('roles:delete', { of })
  const mayGive = useReason('roles:grant', { stepUp: true })
  const fixed = role.built_in ? text.role.fixed : undefined
  return (
    <>
      <Button icon="plus" reason={mayGive} onClick={() => open('give')}>
        {text.access.give}
      </Button>
      <Button icon="edit" reason={fixed ?? mayUpdate} onClick={() => open('edit')}>
        {text.agents.edit}
      </Button>
      <Menu label={text.moreActions} trigger={<Icon name="more" />}>
        <MenuItem icon="cross" danger reason={fixed ?? mayDelete} onSelect={() => open('delete')}>
          {text.role.remove}
        </MenuItem>
      </Menu>
    </>
  )
}

function Holders({ of: role }: { of: Role }) {
  const [taking, setTaking] = useState<Grant>()
  return (
    <>
      <GrantTable
        query={useInfiniteQuery(queries.grants({ role: role.name }))}
        without="what"
        onTake={setTaking}
      />
      {taking && <GrantTaking of={taking} onClose={() => setTaking(undefined)} />}
    </>
  )
}

interface DeletingProps {
  of: Role
  onClose: () => void
  onDone: () => void
}

function Deleting({ of: role, onClose, onDone }: DeletingProps) {
  const text = useText()
  const change = useChange(
    () => answered(api.DELETE('/api/v1/roles/{role}', { params: { path: { role: role.name } } })),
    onDone,
  )
  return (
    <Confirm
      title={text.role.removeTitle(role.name)}
      detail={text.role.removeDetail}
      name={role.name}
      act={text.role.remove}
      change={change}
      same={{
        method: 'DELETE',
        path: `/api/v1/roles/${role.name}`,
        cli: command('safeconduct roles delete', quoted(role.name)),
      }}
      onClose={onClose}
    />
  )
}
