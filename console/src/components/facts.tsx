import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query'
import { Fragment, type ReactNode } from 'react'
import type { Fact, Page } from '../api/types'
import { paths } from '../paths'
import { type Column, Listing } from '../table/listing'
import { useText } from '../text'
import { Empty } from '../ui/page'
import { Status } from '../ui/status'
import { Time } from '../ui/time'
import { chainOf } from './chain'
import { Chain, Chip } from './identity'

interface FactTableProps {
  query: UseInfiniteQueryResult<InfiniteData<Page<Fact>>>
  limit?: number
  brief?: boolean
  fresh?: ReadonlySet<string>
  empty?: ReactNode
}

export function FactTable({ query, limit, brief, fresh, empty }: FactTableProps) {
  const text = useText()
  const columns: (Column<Fact> | false)[] = [
    { id: 'kind', head: text.audit.kind, cell: (fact) => <Kind of={fact.kind} /> },
    { id: 'outcome', head: text.audit.outcome, cell: (fact) => <Status of={fact.outcome} /> },
    !brief && {
      id: 'severity',
      head: text.audit.severity,
      cell: (fact) => <Status of={fact.severity} />,
      wide: true,
    },
    { id: 'actor', head: text.audit.actor, cell: (fact) => <Chain of={chainOf(fact)} />, wide: true },
    !brief && {
      id: 'target',
      head: text.audit.target,
      cell: (fact) => (fact.target ? <Chip of={targetOf(fact)} /> : '–'),
      wide: true,
    },
    { id: 'when', head: text.audit.when, cell: (fact) => <Time at={fact.occurred_at} />, right: true },
  ]
  return (
    <Listing
      label={text.place.audit}
      query={query}
      columns={columns.filter((column) => column !== false)}
      rowId={(fact) => fact.id}
      rowPath={(fact) => paths.fact(fact.id)}
      {...(limit !== undefined && { limit })}
      {...(fresh && { fresh })}
      empty={
        empty ?? (
          <Empty icon="audit" title={text.audit.none} example="safeconduct audit tail">
            {text.audit.noneDetail}
          </Empty>
        )
      }
    />
  )
}

/** `auth.signed_in`: where there is no room for it, the line ends behind a dot and nowhere else. */
function Kind({ of }: { of: string }) {
  return (
    <span className="mono kind">
      {of.split(/(?<=\.)/).map((word, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: words of one name, in their order
        <Fragment key={at}>
          {at > 0 && <wbr />}
          {word}
        </Fragment>
      ))}
    </span>
  )
}

/** Facts name a function as permissions do, `ops/echo`; everywhere else, and so here, it is `ops:echo`. */
export function targetOf({ target }: Pick<Fact, 'target'>) {
  const kind = target?.type ?? 'unknown'
  return {
    kind,
    id: target?.id,
    display: kind === 'function' ? target?.name?.replace('/', ':') : target?.name,
  }
}
