import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { KeyboardEvent, ReactNode } from 'react'
import type { Page } from '../api/types'
import { useText } from '../text'
import { Button } from '../ui/button'
import { shown } from '../ui/name'
import { Failure } from '../ui/page'

export interface Column<T> {
  id: string
  head: string
  cell: (row: T) => ReactNode
  /** Left out on a phone. */
  wide?: boolean
  /** Numbers and times stand right. */
  right?: boolean
}

interface ListingProps<T> {
  label: string
  query: UseInfiniteQueryResult<InfiniteData<Page<T>>>
  columns: Column<T>[]
  rowId: (row: T) => string
  /** Where a row leads; the first column becomes the link. */
  rowPath?: (row: T) => string
  /** What stands in place of an empty table. */
  empty: ReactNode
  /** At most this many rows, without paging: for summaries. */
  limit?: number
  fresh?: ReadonlySet<string>
}

/** The one table: rows as they come, keyset paging, j and k between the rows. */
export function Listing<T>({ label, query, columns, rowId, rowPath, empty, limit, fresh }: ListingProps<T>) {
  const text = useText()
  if (query.isError && !query.data)
    return <Failure error={query.error} onRetry={() => void query.refetch()} />
  const rows = query.data?.pages.flatMap((page) => page.items).slice(0, limit)
  if (rows?.length === 0) return empty
  return (
    <div className="listing" aria-busy={query.isPlaceholderData}>
      <table onKeyDown={moveBetweenRows}>
        <caption className="visually-hidden">{label}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.id} scope="col" className={kind(column)}>
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows === undefined
            ? Array.from({ length: Math.min(limit ?? 6, 6) }, (_, row) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: placeholders are all alike
                <tr key={row} className="waiting" aria-hidden="true">
                  {columns.map((column) => (
                    <td key={column.id} className={kind(column)}>
                      <span className="bar" />
                    </td>
                  ))}
                </tr>
              ))
            : rows.map((row) => (
                <tr key={rowId(row)} className={fresh?.has(rowId(row)) ? 'fresh' : undefined}>
                  {columns.map((column, at) => (
                    <td key={column.id} className={kind(column)}>
                      {at === 0 && rowPath ? (
                        <Link className="row-link" to={rowPath(row)}>
                          {shown(column.cell(row))}
                        </Link>
                      ) : (
                        shown(column.cell(row))
                      )}
                    </td>
                  ))}
                </tr>
              ))}
        </tbody>
      </table>
      {rows === undefined && (
        <p className="visually-hidden" role="status">
          {text.loading}
        </p>
      )}
      {query.hasNextPage && limit === undefined && (
        <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {text.more}
        </Button>
      )}
    </div>
  )
}

function kind<T>(column: Column<T>): string | undefined {
  return [column.wide && 'wide', column.right && 'right'].filter(Boolean).join(' ') || undefined
}

function moveBetweenRows(event: KeyboardEvent<HTMLTableElement>) {
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key]
  if (step === undefined || event.target instanceof HTMLInputElement) return
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>('.row-link')]
  const at = links.indexOf(document.activeElement as HTMLElement)
  const next = links[at + step]
  if (!next) return
  event.preventDefault()
  next.focus()
}
