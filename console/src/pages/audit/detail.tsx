import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { queries } from '../../api/queries'
import type { FactDetail } from '../../api/types'
import { chainOf } from '../../components/chain'
import { Proof, useVerdict, verdictOf } from '../../components/evidence'
import { targetOf } from '../../components/facts'
import { Chain, Chip, Id } from '../../components/identity'
import { paths } from '../../paths'
import { useText } from '../../text'
import type { Text } from '../../text/en'
import { Copyable, JsonBlock } from '../../ui/copy'
import { Failure, PageHeader, Properties, Section, Skeleton } from '../../ui/page'
import { Status } from '../../ui/status'
import { Time } from '../../ui/time'

const route = getRouteApi('/shell/audit/$fact')

export default function FactPage() {
  const text = useText()
  const { fact: id } = route.useParams()
  const query = useQuery(queries.fact(id))
  const verdict = useVerdict(query.data, id)
  const above = <Link to={paths.audit}>{text.place.audit}</Link>
  if (!query.data) {
    return (
      <>
        <PageHeader title={text.kinds.fact} above={above} />
        {query.isError ? (
          <Failure error={query.error} onRetry={() => void query.refetch()} />
        ) : (
          <Skeleton lines={8} />
        )}
      </>
    )
  }
  const fact = query.data
  const word = verdictOf(verdict.data)
  return (
    <>
      <PageHeader
        title={fact.kind}
        above={above}
        state={
          <>
            <Status of={fact.outcome} />
            {fact.proof && <Status of={word} label={text.proof.verdict[word]} />}
          </>
        }
        detail={<Copyable value={fact.id} />}
      />
      <div className="chain-line">
        <Chain of={chainOf(fact)} />
      </div>
      <div className="columns">
        <Members of={fact} />
        <Section title={text.audit.proof}>
          <Proof of={fact} asked={id} />
        </Section>
      </div>
    </>
  )
}

type Row = [string, ReactNode]

/** A fact that stands for many says how many, and from where. */
function repeated(text: Text, { count, source }: NonNullable<FactDetail['repeated']>): Row {
  return [text.audit.repeated, <span key="x" className="mono">{`${count} × ${source}`}</span>]
}

/** Data that was too large is recorded by its hash alone. */
function hashed(text: Text, { bytes, sha256 }: NonNullable<FactDetail['data_hash']>): Row {
  return [text.audit.dataHash, <span key="h" className="mono">{`${sha256} (${bytes} bytes)`}</span>]
}

function Members({ of: fact }: { of: FactDetail }) {
  const text = useText()
  const id = (value: string | null | undefined) => <Id of={value} />
  return (
    <div>
      <Section title={text.kinds.fact}>
        <Properties
          of={[
            [text.audit.when, <Time key="w" at={fact.occurred_at} />],
            [text.audit.severity, <Status key="s" of={fact.severity} />],
            [text.audit.target, fact.target ? <Chip key="t" of={targetOf(fact)} /> : '–'],
            [
              text.audit.number,
              <span key="n" className="mono">
                {fact.org_seq}
              </span>,
            ],
            [text.audit.run, fact.run ? <Id key="r" of={fact.run} short /> : '–'],
            [text.audit.jti, id(fact.jti)],
            [text.audit.txn, id(fact.txn)],
            [text.audit.credential, id(fact.credential)],
            [text.audit.request, id(fact.request)],
            [text.audit.cause, fact.cause ? <Id key="c" of={fact.cause} short /> : '–'],
            [
              text.audit.ip,
              <span key="i" className="mono">
                {fact.ip ?? '–'}
              </span>,
            ],
            [text.audit.userAgent, fact.user_agent ?? '–'],
            ...(fact.repeated ? [repeated(text, fact.repeated)] : []),
            ...(fact.data_hash ? [hashed(text, fact.data_hash)] : []),
          ]}
        />
      </Section>
      {Object.keys((fact.data ?? {}) as object).length > 0 && (
        <Section title={text.audit.data}>
          <JsonBlock value={fact.data} label={text.audit.data} />
        </Section>
      )}
    </div>
  )
}
