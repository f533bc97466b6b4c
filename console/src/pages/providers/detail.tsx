import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { answered, api } from '../../api/client'
import { queries } from '../../api/queries'
import type { AuthProvider } from '../../api/types'
import { Confirm } from '../../components/confirm'
import { Equivalent } from '../../components/equivalent'
import { Words } from '../../components/words'
import { groupRoleWords } from '../../forms/provider-draft'
import type { Schema } from '../../forms/settings'
import { useChange } from '../../hooks/change'
import { type Right, useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Copyable, JsonBlock } from '../../ui/copy'
import { Dialog } from '../../ui/dialog'
import { Icon } from '../../ui/icon'
import { Menu, MenuItem } from '../../ui/menu'
import { Name } from '../../ui/name'
import { Failure, PageHeader, Properties, Section, Skeleton } from '../../ui/page'
import { Status } from '../../ui/status'
import { Time } from '../../ui/time'
import { ProviderEdit } from './edit'

const route = getRouteApi('/shell/providers/$provider')
const at = '/api/v1/auth-providers/{auth_provider}'

export default function ProviderPage() {
  const text = useText()
  const { provider: id } = route.useParams()
  const query = useQuery(queries.authProvider(id))
  const above = <Link to={paths.providers}>{text.place.providers}</Link>
  if (!query.data) {
    return (
      <>
        <PageHeader title={text.place.providers} above={above} />
        {query.isError ? (
          <Failure error={query.error} onRetry={() => void query.refetch()} />
        ) : (
          <Skeleton lines={5} />
        )}
      </>
    )
  }
  return <Provider of={query.data} />
}

function Provider({ of: provider }: { of: AuthProvider }) {
  const text = useText()
  const navigate = route.useNavigate()
  const { panel } = route.useSearch()
  const open = (panel?: string) => void navigate({ search: panel ? { panel } : {} })
  const mayUpdate = useMayTouch('auth_providers:update', provider)
  const mayDelete = useMayTouch('auth_providers:delete', provider)
  const mayTest = useReason('auth_providers:update', { stepUp: true })
  const params = { path: { auth_provider: provider.id } }
  const test = useChange(() => answered(api.POST(`${at}/test`, { params })))
  return (
    <>
      <PageHeader
        title={provider.display_name}
        above={
          <Link to={paths.providers} search={provider.instance ? { tab: 'instance' } : {}}>
            {text.place.providers}
          </Link>
        }
        state={<Status of={provider.enabled ? 'enabled' : 'disabled'} />}
        detail={<Copyable value={provider.id} />}
        actions={
          <>
            <Button icon="run" reason={mayTest} busy={test.isPending} onClick={() => test.mutate(undefined)}>
              {text.providers.test}
            </Button>
            <Button icon="edit" reason={mayUpdate} onClick={() => open('edit')}>
              {text.providers.edit}
            </Button>
            <Button reason={mayUpdate} onClick={() => open(provider.enabled ? 'disable' : 'enable')}>
              {provider.enabled ? text.providers.disable : text.providers.enable}
            </Button>
            <Menu label={text.moreActions} trigger={<Icon name="more" />}>
              <MenuItem icon="cross" danger reason={mayDelete} onSelect={() => open('delete')}>
                {text.providers.remove}
              </MenuItem>
            </Menu>
          </>
        }
      />
      {test.error && <Failure error={test.error} />}
      {test.data && (
        <Section title={text.providers.tested} actions={<Status of={test.data.works ? 'works' : 'broken'} />}>
          <ul className="proof-steps">
            {test.data.findings.map((finding) => (
              <li key={finding.what}>
                <Status of={finding.works ? 'works' : 'broken'} />
                <div>
                  <strong>
                    <Name of={finding.what} />
                  </strong>
                  <p className="muted">
                    <Name of={finding.detail} />
                  </p>
                </div>
              </li>
            ))}
          </ul>
          <Equivalent
            method="POST"
            path={`/api/v1/auth-providers/${provider.id}/test`}
            cli={`safeconduct providers test ${provider.id}`}
          />
        </Section>
      )}
      <Section title={text.overview}>
        <Properties
          of={[
            [
              text.providers.name,
              <span key="n" className="mono">
                <Name of={provider.name} />
              </span>,
            ],
            [
              text.providers.kind,
              (text.providers.kinds as Record<string, string>)[provider.kind] ?? provider.kind,
            ],
            [
              text.providers.whose,
              provider.instance ? text.providers.ofInstance : text.providers.ofOrganization,
            ],
            [
              text.providers.newcomers,
              provider.create_users
                ? provider.default_roles.join(', ') || text.noneGiven
                : text.providers.refused,
            ],
            [text.providers.domains, provider.allowed_domains.join(', ') || text.providers.anyDomain],
            ...(Object.keys(provider.group_roles).length > 0
              ? [
                  [
                    text.providers.groupRoles,
                    <Words key="g" of={groupRoleWords(provider.group_roles)} />,
                  ] as [string, React.ReactNode],
                ]
              : []),
            [text.providers.trust, provider.trust_email ? text.providers.yes : text.providers.no],
            [text.providers.source, text.providers.sources[provider.source as 'api']],
            [text.created, <Time key="c" at={provider.created_at} />],
            [text.updated, <Time key="u" at={provider.updated_at} />],
          ]}
        />
      </Section>
      {Object.keys(provider.settings).length + Number(provider.has_secrets) > 0 && (
        <Section title={text.providers.settings}>
          <JsonBlock value={provider.settings} label={text.providers.settings} />
          {provider.has_secrets && <p className="muted">{text.providers.hasSecrets}</p>}
        </Section>
      )}
      {(panel === 'enable' || panel === 'disable') && (
        <Switching of={provider} to={panel} onClose={() => open()} />
      )}
      {panel === 'edit' && (
        <Dialog title={text.providers.editTitle(provider.display_name)} kind="side" onClose={() => open()}>
          <Editing of={provider} onDone={() => open()} />
        </Dialog>
      )}
      {panel === 'delete' && <Removal of={provider} onClose={() => open()} />}
    </>
  )
}

/** Of the instance's only operators may change anything, and nobody here what the server's file says. */
function useMayTouch(right: Right, provider: AuthProvider): string | undefined {
  const text = useText()
  const own = useReason(right, { stepUp: true })
  const instance = useReason('system:update')
  if (provider.source === 'file') return text.providers.fromFile
  return own ?? (provider.instance ? instance : undefined)
}

/** The form needs to know which settings there are; a kind that this server has lost is edited as one JSON object. */
function Editing({ of: provider, onDone }: { of: AuthProvider; onDone: () => void }) {
  const kinds = useQuery(queries.authProviderKinds())
  if (kinds.isError) return <Failure error={kinds.error} onRetry={() => void kinds.refetch()} />
  if (!kinds.data) return <Skeleton />
  const schema = kinds.data.items.find(({ name }) => name === provider.kind)?.settings ?? {}
  return <ProviderEdit of={provider} schema={schema as Schema} onDone={onDone} />
}

interface ChangeProps {
  of: AuthProvider
  onClose: () => void
}

function Switching({ of: provider, to, onClose }: ChangeProps & { to: 'enable' | 'disable' }) {
  const text = useText()
  const body = { enabled: to === 'enable' }
  const change = useChange(
    () =>
      answered(
        api.PATCH(at, {
          body,
          params: { path: { auth_provider: provider.id } },
          headers: { 'if-match': `"${provider.revision}"` },
        }),
      ),
    onClose,
  )
  return (
    <Confirm
      title={text.providers.switching[to].title(provider.display_name)}
      detail={text.providers.switching[to].detail}
      act={text.providers[to]}
      change={change}
      same={{
        method: 'PATCH',
        path: `/api/v1/auth-providers/${provider.id}`,
        body,
        revision: provider.revision,
        cli: `safeconduct providers ${to} ${provider.id}`,
      }}
      onClose={onClose}
    />
  )
}

function Removal({ of: provider, onClose }: ChangeProps) {
  const text = useText()
  const navigate = route.useNavigate()
  const remove = useChange(
    () => answered(api.DELETE(at, { params: { path: { auth_provider: provider.id } } })),
    () =>
      void navigate({
        to: paths.providers,
        search: provider.instance ? { tab: 'instance' } : {},
        replace: true,
      }),
  )
  return (
    <Confirm
      title={text.providers.removeTitle(provider.display_name)}
      detail={text.providers.removeDetail}
      name={provider.name}
      act={text.providers.remove}
      change={remove}
      same={{
        method: 'DELETE',
        path: `/api/v1/auth-providers/${provider.id}`,
        cli: `safeconduct providers delete ${provider.id}`,
      }}
      onClose={onClose}
    />
  )
}
