import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { answered, api } from '../../api/client'
import { queries } from '../../api/queries'
import type { PolicyDetail } from '../../api/types'
import { Confirm } from '../../components/confirm'
import { Chip } from '../../components/identity'
import { useChange } from '../../hooks/change'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Copyable } from '../../ui/copy'
import { shown } from '../../ui/name'
import { Failure, PageHeader, Properties, Skeleton } from '../../ui/page'
import { Status } from '../../ui/status'
import { Tabs } from '../../ui/tabs'
import { Time } from '../../ui/time'
import { filesOf } from './draft'
import { Files } from './files'
import { principalOf } from './principal'
import { Simulator } from './simulator'
import { WhatIf } from './what-if'

const route = getRouteApi('/shell/policies/$policy')

export default function PolicyPage() {
  const text = useText()
  const { policy: id } = route.useParams()
  const query = useQuery(queries.policy(id))
  if (query.data) return <Version of={query.data} />
  return (
    <>
      <PageHeader
        title={text.place.policies}
        above={<Link to={paths.policies}>{text.place.policies}</Link>}
      />
      {query.isError ? (
        <Failure error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <Skeleton lines={5} />
      )}
    </>
  )
}

function Version({ of: policy }: { of: PolicyDetail }) {
  const text = useText()
  const navigate = useNavigate()
  const { tab = 'rules', panel } = route.useSearch()
  const mayUpdate = useReason('policies:update', { stepUp: true })
  const mayCreate = useReason('policies:create')
  const open = (panel?: 'activate' | 'deactivate') =>
    void navigate({ to: '.', search: { ...(tab !== 'rules' && { tab }), ...(panel && { panel }) } })
  return (
    <>
      <PageHeader
        title={text.policies.version(policy.number)}
        above={<Link to={paths.policies}>{text.place.policies}</Link>}
        state={<Status of={policy.active ? 'in_force' : 'draft'} />}
        detail={
          <>
            <span>{shown(policy.description)}</span>
            <Copyable value={policy.id} />
          </>
        }
        actions={
          <>
            <Button
              icon="edit"
              reason={mayCreate}
              onClick={() => void navigate({ to: paths.newPolicy, search: { from: policy.id } })}
            >
              {text.policies.next}
            </Button>
            {policy.active ? (
              <Button look="danger" reason={mayUpdate} onClick={() => open('deactivate')}>
                {text.policies.deactivate}
              </Button>
            ) : (
              <Button look="primary" reason={mayUpdate} onClick={() => open('activate')}>
                {text.policies.activate}
              </Button>
            )}
          </>
        }
      />
      <Tabs
        label={text.policies.parts}
        current={tab}
        of={[
          { id: 'rules', label: text.policies.rules },
          { id: 'simulate', label: text.policies.simulate },
          { id: 'what-if', label: text.policies.whatIf },
        ]}
      />
      {tab === 'rules' && (
        <div className="workbench">
          <Files of={filesOf(policy.bundle)} />
          <Properties
            of={[
              [
                text.policies.rules,
                <span key="r" className="mono">
                  {policy.rules}
                </span>,
              ],
              [text.functions.author, <Chip key="a" of={principalOf(policy.author)} />],
              [text.created, <Time key="t" at={policy.created_at} />],
              [
                'SHA-256',
                <Copyable key="h" value={policy.sha256} shown={`${policy.sha256.slice(0, 16)}…`} />,
              ],
            ]}
          />
        </div>
      )}
      {tab === 'simulate' && <Simulator policy={policy.id} />}
      {tab === 'what-if' && <WhatIf policy={policy.id} />}
      {(panel === 'activate' || panel === 'deactivate') && (
        <Switching key={panel} of={policy} to={panel} onClose={() => open()} />
      )}
    </>
  )
}

interface SwitchingProps {
  of: PolicyDetail
  to: 'activate' | 'deactivate'
  onClose: () => void
}

function Switching({ of: policy, to, onClose }: SwitchingProps) {
  const text = useText()
  const params = { path: { policy: policy.id } }
  const change = useChange(
    () =>
      answered(
        to === 'activate'
          ? api.POST('/api/v1/policies/{policy}/activate', { params })
          : api.POST('/api/v1/policies/{policy}/deactivate', { params }),
      ),
    onClose,
  )
  const name = text.policies.version(policy.number)
  return (
    <Confirm
      title={text.policies.switching[to].title(name)}
      detail={text.policies.switching[to].detail}
      {...(to === 'deactivate' && { name })}
      act={text.policies[to]}
      change={change}
      same={{
        method: 'POST',
        path: `/api/v1/policies/${policy.id}/${to}`,
        cli: `safeconduct policies ${to} ${policy.id}`,
      }}
      onClose={onClose}
    />
  )
}
