import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Failure, PageHeader, Skeleton } from '../ui/page'

interface LoadedProps<T> {
  query: UseQueryResult<T>
  /** What stands at the head of the page until the thing itself is there. */
  title: string
  above?: ReactNode
  children: (value: T) => ReactNode
}

/** A page about one thing: a skeleton until it was read, or why it can't be. */
export function Loaded<T>({ query, title, above, children }: LoadedProps<T>) {
  if (query.data !== undefined) return children(query.data)
  return (
    <>
      <PageHeader title={title} above={above} />
      {query.isError ? (
        <Failure error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <Skeleton lines={6} />
      )}
    </>
  )
}
