import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { queries } from '../api/queries'
import type { Opened } from '../api/types'
import { useText } from '../text'
import { Failure, Section, Skeleton } from '../ui/page'

/** What permissions let whoever holds them do, as the server reads them: the operations that they open, and how far. */
export function OpenedBy({ permissions }: { permissions: string[] }) {
  const text = useText()
  const query = useQuery({ ...queries.opens(permissions), placeholderData: keepPreviousData })
  const total = useQuery(queries.catalogue()).data?.operations.length
  const opened = query.isError ? [] : (query.data?.items ?? [])
  return (
    <Section title={text.access.opens}>
      <p className="muted" role="status">
        {query.data && !query.isError && text.access.opensCount(`${opened.length}/${total ?? '…'}`)}
      </p>
      {query.isPending && <Skeleton />}
      {query.isError && <Failure error={query.error} />}
      {opened.length > 0 && (
        <section
          className="listing opened"
          aria-label={text.access.opens}
          aria-busy={query.isPlaceholderData}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
          tabIndex={0}
        >
          <table>
            <caption className="visually-hidden">{text.access.opens}</caption>
            <thead>
              <tr>
                <th scope="col">{text.access.operation}</th>
                <th scope="col">{text.access.reach}</th>
              </tr>
            </thead>
            <tbody>
              {opened.map((one) => (
                <tr key={one.id}>
                  <td>
                    <span className="name">
                      <span className="mono break">{one.id}</span>
                      <span className="mono muted break">
                        {one.method} {one.path}
                      </span>
                    </span>
                  </td>
                  <td>
                    <Reach of={one} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </Section>
  )
}

function Reach({ of: opened }: { of: Opened }) {
  const text = useText()
  const reach = (text.access.reaches as Record<string, string>)[opened.reach ?? ''] ?? text.access.onlyNamed
  return (
    <span className="name">
      <span>{reach}</span>
      {opened.step_up && (
        <span className="muted">{opened.by_name ? text.access.confirmed : text.access.confirmedPeople}</span>
      )}
    </span>
  )
}
