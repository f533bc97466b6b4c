import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { queries } from '../../api/queries'
import type { AuthProvider } from '../../api/types'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Dialog } from '../../ui/dialog'
import { Name } from '../../ui/name'
import { Empty, Failure, PageHeader, Skeleton } from '../../ui/page'
import { Status } from '../../ui/status'
import { Tabs } from '../../ui/tabs'
import { Time } from '../../ui/time'
import { ProviderForm } from './create'

const route = getRouteApi('/shell/providers')

/** The ways to sign in: of the organization, and for operators of everybody on this server. */
export default function Providers() {
  const text = useText()
  const navigate = route.useNavigate()
  const { tab = 'organization', panel } = route.useSearch()
  const isInstance = tab === 'instance'
  const query = useInfiniteQuery(queries.authProviders(isInstance))
  const kinds = useQuery({ ...queries.authProviderKinds(), enabled: panel === 'new' })
  const isOperator = useQuery(queries.me()).data?.roles.includes('operator')
  const mayCreate = useReason('auth_providers:create', { stepUp: true })
  const mayTouchInstance = useReason('system:update')
  const open = (panel: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, ...{ panel: panel as string } }) })
  const columns: Column<AuthProvider>[] = [
    {
      id: 'name',
      head: text.providers.name,
      cell: (provider) => (
        <span className="name">
          <span>
            <Name of={provider.display_name} />
          </span>
          <span className="mono muted">{provider.name}</span>
        </span>
      ),
    },
    {
      id: 'status',
      head: text.statusHead,
      cell: (provider) => <Status of={provider.enabled ? 'enabled' : 'disabled'} />,
    },
    { id: 'kind', head: text.providers.kind, cell: (provider) => <code>{provider.kind}</code>, wide: true },
    {
      id: 'newcomers',
      head: text.providers.newcomers,
      cell: (provider) =>
        provider.create_users ? provider.default_roles.join(', ') || text.noneGiven : text.providers.refused,
      wide: true,
    },
    {
      id: 'updated',
      head: text.updated,
      cell: (provider) => <Time at={provider.updated_at} />,
      right: true,
      wide: true,
    },
  ]
  return (
    <>
      <PageHeader
        title={text.place.providers}
        detail={text.providers.detail}
        actions={
          <Button
            look="primary"
            icon="plus"
            reason={mayCreate ?? (isInstance ? mayTouchInstance : undefined)}
            onClick={() => open('new')}
          >
            {text.providers.create}
          </Button>
        }
      />
      {isOperator && (
        <Tabs
          label={text.providers.whose}
          current={tab}
          of={[
            { id: 'organization', label: text.providers.ofOrganization },
            { id: 'instance', label: text.providers.ofInstance },
          ]}
        />
      )}
      <Listing
        label={text.place.providers}
        query={query}
        columns={columns}
        rowId={(provider) => provider.id}
        rowPath={(provider) => paths.provider(provider.id)}
        empty={
          <Empty
            icon="key"
            title={text.providers.none}
            example={`safeconduct providers create mail --kind otp${isInstance ? ' --instance' : ''}`}
          >
            {text.providers.noneDetail}
          </Empty>
        }
      />
      {panel === 'new' && (
        <Dialog title={text.providers.create} kind="side" onClose={() => open(undefined)}>
          {kinds.isPending && <Skeleton />}
          {kinds.error && <Failure error={kinds.error} onRetry={() => void kinds.refetch()} />}
          {kinds.data && (
            <ProviderForm
              kinds={kinds.data.items}
              instance={isInstance}
              onDone={(provider) => void navigate({ to: paths.provider(provider.id) })}
            />
          )}
        </Dialog>
      )}
    </>
  )
}
