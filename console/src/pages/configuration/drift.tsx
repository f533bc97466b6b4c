import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { queries } from '../../api/queries'
import type { ConfigDrift } from '../../api/types'
import { command, Equivalent, flag } from '../../components/equivalent'
import { placeOf } from '../../paths'
import { useText } from '../../text'
import { Name } from '../../ui/name'
import { Empty, Failure, Skeleton } from '../../ui/page'
import { Status } from '../../ui/status'
import { Findings } from './findings'
import { Fields } from './plan'

/** What is not as its file says any more, from what the file said to what is. */
export function Drift({ manager }: { manager: string | undefined }) {
  const text = useText()
  const query = useQuery(queries.configDrift(manager))
  return (
    <>
      <p>{text.config.driftDetail}</p>
      {query.error && <Failure error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <Skeleton lines={4} />}
      {query.data && query.data.items.length === 0 && (
        <Empty icon="check" title={text.config.inStep} example="safeconduct config drift">
          {text.config.inStepDetail(query.data.in_step)}
        </Empty>
      )}
      {query.data && query.data.items.length > 0 && (
        <>
          <ol className="changes">
            {query.data.items.map((item) => (
              <Item key={`${item.section}/${item.key}`} of={item} />
            ))}
          </ol>
          <p className="muted">{text.config.inStepDetail(query.data.in_step)}</p>
        </>
      )}
      {query.data && query.data.unseen.length > 0 && (
        <Findings of={query.data.unseen} title={text.config.unseen} />
      )}
      <Equivalent
        method="GET"
        path={`/api/v1/config/drift${manager ? `?manager=${encodeURIComponent(manager)}` : ''}`}
        cli={command('safeconduct config drift', flag('manager', manager))}
      />
    </>
  )
}

function Item({ of: item }: { of: ConfigDrift['items'][number] }) {
  const text = useText()
  const place = item.drift === 'gone' ? undefined : placeOf(item.id)
  const name = <Name of={`${item.section}/${item.key}`} />
  const rights = item.fields.some(({ gained, lost }) => (gained?.length ?? 0) + (lost?.length ?? 0) > 0)
  return (
    <li className={rights ? 'change rights' : 'change'}>
      <p className="head">
        <Status of={item.drift === 'gone' ? 'refused' : 'warning'} label={text.config.drifts[item.drift]} />
        <strong className="mono">{place ? <Link to={place}>{name}</Link> : name}</strong>
        {rights && <Status of="warning" label={text.config.rights} />}
        <span className="muted">
          <Name of={text.config.managedBy(item.manager)} />
        </span>
      </p>
      {item.drift === 'changed' && <Fields of={item.fields} />}
    </li>
  )
}
