import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { answered, api } from '../../api/client'
import { queries } from '../../api/queries'
import type { Org } from '../../api/types'
import { Confirm } from '../../components/confirm'
import { command, quoted } from '../../components/equivalent'
import { Chip } from '../../components/identity'
import { Loaded } from '../../components/loaded'
import { OrgEdit } from '../../forms/org-edit'
import { useChange } from '../../hooks/change'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Copyable } from '../../ui/copy'
import { Dialog } from '../../ui/dialog'
import { Icon } from '../../ui/icon'
import { Menu, MenuItem } from '../../ui/menu'
import { PageHeader } from '../../ui/page'
import { Status } from '../../ui/status'
import { Tabs } from '../../ui/tabs'
import { Domains } from './domains'
import { Leaving } from './leaving'
import { Overview } from './overview'

type Panel = 'edit' | 'delete' | 'claim'

interface View {
  tab: string | undefined
  panel: string | undefined
  open: (panel: Panel | undefined) => void
}

const own = getRouteApi('/shell/org')

/** The organization that the caller stands in. */
export function OwnOrg() {
  const { tab, panel } = own.useSearch()
  const navigate = own.useNavigate()
  const open = (next: Panel | undefined) =>
    void navigate({ search: (all) => ({ ...all, panel: next as string }) })
  return <OrgPage view={{ tab, panel, open }} />
}

const any = getRouteApi('/shell/orgs/$org')

/** One of the instance's, for operators. */
export function AnyOrg() {
  const { org } = any.useParams()
  const { tab, panel } = any.useSearch()
  const navigate = any.useNavigate()
  const open = (next: Panel | undefined) =>
    void navigate({ search: (all) => ({ ...all, panel: next as string }) })
  return <OrgPage org={org} view={{ tab, panel, open }} />
}

function OrgPage({ org: named, view }: { org?: string; view: View }) {
  const text = useText()
  const query = useQuery(queries.org(named))
  const here = useQuery(queries.me()).data?.org.id
  const above = <Link to={paths.orgs}>{text.orgs.title}</Link>
  return (
    <Loaded query={query} title={text.orgs.own} above={above}>
      {(org) => {
        const current = org.id === here
        const tab = current ? (view.tab ?? 'overview') : 'overview'
        return (
          <>
            <PageHeader
              title={org.name}
              above={above}
              state={<Status of={org.status} />}
              detail={
                <>
                  <Copyable value={org.id} />
                  {org.home && <span>{text.orgs.home}</span>}
                  {org.personal_of && (
                    <span>
                      {text.orgs.personalOf} <Chip of={{ kind: 'user', id: org.personal_of }} />
                    </span>
                  )}
                </>
              }
              actions={<Actions of={org} current={current} open={view.open} />}
            />
            {org.status !== 'active' && <Leaving of={org} current={current} />}
            {current && (
              <Tabs
                label={text.orgs.own}
                current={tab}
                of={[
                  { id: 'overview', label: text.overview },
                  { id: 'domains', label: text.domains.title },
                ]}
              />
            )}
            {tab === 'overview' && <Overview of={org} />}
            {tab === 'domains' && (
              <Domains
                claiming={view.panel === 'claim'}
                onClaim={(claiming) => view.open(claiming ? 'claim' : undefined)}
              />
            )}
            {view.panel === 'edit' && (
              <Dialog title={text.orgs.editTitle(org.name)} kind="side" onClose={() => view.open(undefined)}>
                <OrgEdit org={org} onDone={() => view.open(undefined)} />
              </Dialog>
            )}
            {view.panel === 'delete' && <Deleting of={org} onClose={() => view.open(undefined)} />}
          </>
        )
      }}
    </Loaded>
  )
}

/** What somebody may do to an organization; to another than their own only operators. */
function useOrgReason(right: 'orgs:update' | 'orgs:delete', org: Org, current: boolean) {
  const lacks = useReason(right, { of: { selector: org.id, owner: '' } })
  const notOperator = useReason('system:orgs')
  return lacks ?? (current ? undefined : notOperator)
}

interface ActionsProps {
  of: Org
  current: boolean
  open: (panel: Panel) => void
}

function Actions({ of: org, current, open }: ActionsProps) {
  const text = useText()
  const mayUpdate = useOrgReason('orgs:update', org, current)
  const mayDelete = useOrgReason('orgs:delete', org, current)
  const stays = org.home ? text.orgs.homeReason : undefined
  const leaves = org.status === 'active' ? undefined : text.orgs.leavingReason
  return (
    <>
      <Button icon="edit" reason={mayUpdate} onClick={() => open('edit')}>
        {text.orgs.edit}
      </Button>
      <Menu label={text.moreActions} trigger={<Icon name="more" />}>
        <MenuItem icon="cross" danger reason={mayDelete ?? stays ?? leaves} onSelect={() => open('delete')}>
          {text.orgs.remove}
        </MenuItem>
      </Menu>
    </>
  )
}

function Deleting({ of: org, onClose }: { of: Org; onClose: () => void }) {
  const text = useText()
  const body = { slug: org.slug }
  const change = useChange(
    () => answered(api.DELETE('/api/v1/orgs/{org}', { params: { path: { org: org.id } }, body })),
    onClose,
  )
  return (
    <Confirm
      title={text.orgs.removeTitle(org.name)}
      detail={text.orgs.removeDetail}
      name={org.slug}
      act={text.orgs.removeAct}
      change={change}
      same={{
        method: 'DELETE',
        path: `/api/v1/orgs/${org.id}`,
        body,
        cli: command('safeconduct orgs delete', quoted(org.slug)),
      }}
      onClose={onClose}
    />
  )
}
