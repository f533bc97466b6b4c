import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { queries } from '../../api/queries'
import type { ReachingAgent } from '../../api/types'
import { command, Equivalent, quoted } from '../../components/equivalent'
import { Chip } from '../../components/identity'
import { paths } from '../../paths'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Field } from '../../ui/form'
import { Name, shown } from '../../ui/name'
import { Empty, Failure, PageHeader, Skeleton } from '../../ui/page'
import { Status } from '../../ui/status'
import { AccessGraph } from './graph'

const route = getRouteApi('/shell/access')

/** Which agents reach a permission, how far, and by what: as a picture and, with the same in words, as a table. */
export default function Access() {
  const text = useText()
  const navigate = route.useNavigate()
  const { permission = 'agents:read' } = route.useSearch()
  const [typed, setTyped] = useState(permission)
  const graph = useQuery(queries.accessGraph(permission))
  const submit = (event: FormEvent) => {
    event.preventDefault()
    void navigate({ search: { permission: typed.trim() } })
  }
  return (
    <>
      <PageHeader title={text.place.access} detail={text.reach.detail} />
      <form className="form asking" onSubmit={submit}>
        <Field label={text.policies.permission} hint={text.reach.hint}>
          {(ids) => (
            <input
              {...ids}
              className="mono"
              value={typed}
              required
              spellCheck={false}
              onChange={(event) => setTyped(event.target.value)}
            />
          )}
        </Field>
        <Button type="submit" look="primary" busy={graph.isFetching}>
          {text.reach.ask}
        </Button>
      </form>
      {graph.error && <Failure error={graph.error} />}
      {graph.isPending && <Skeleton lines={5} />}
      {graph.data?.items.length === 0 && (
        <Empty
          icon="branch"
          title={text.reach.nobody}
          example={`safeconduct permissions graph ${permission}`}
        >
          {text.reach.nobodyDetail}
        </Empty>
      )}
      {graph.data && graph.data.items.length > 0 && (
        <>
          <AccessGraph permission={graph.data.permission} of={graph.data.items} />
          <Reaching of={graph.data.items} />
          <Equivalent
            method="GET"
            path={`/api/v1/access/graph?permission=${encodeURIComponent(permission)}`}
            cli={command('safeconduct permissions graph', quoted(permission))}
          />
        </>
      )}
    </>
  )
}

function Reaching({ of: agents }: { of: ReachingAgent[] }) {
  const text = useText()
  return (
    <div className="listing">
      <table>
        <caption className="visually-hidden">{text.reach.table}</caption>
        <thead>
          <tr>
            <th scope="col">{text.kinds.agent}</th>
            <th scope="col">{text.reach.reach}</th>
            <th scope="col" className="wide">
              {text.reach.grants}
            </th>
            <th scope="col" className="wide">
              {text.agents.roles}
            </th>
            <th scope="col" className="wide">
              {text.agents.owner}
            </th>
            <th scope="col">{text.statusHead}</th>
          </tr>
        </thead>
        <tbody>
          {agents.map((agent) => (
            <tr key={agent.agent}>
              <td>
                <Link className="row-link mono" to={paths.agent(agent.agent)} search={{ tab: 'advice' }}>
                  <Name of={agent.path.replace('/', ':')} />
                </Link>
              </td>
              <td>{text.reach.reaches[agent.reach as 'own']}</td>
              <td className="wide">
                <ul className="words mono">
                  {agent.grants.map((grant) => (
                    <li key={grant}>
                      <Name of={grant} />
                    </li>
                  ))}
                </ul>
              </td>
              <td className="wide">{shown(agent.roles.join(', ')) || '–'}</td>
              <td className="wide">{agent.owner ? <Chip of={{ kind: 'user', id: agent.owner }} /> : '–'}</td>
              <td>
                <Status of={agent.active ? 'active' : 'suspended'} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
