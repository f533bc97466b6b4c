import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { queries } from '../api/queries'
import type { Grant, Held } from '../api/types'
import { GrantForm, GrantTaking } from '../forms/grant'
import { useReason } from '../hooks/rights'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Dialog } from '../ui/dialog'
import { Name } from '../ui/name'
import { Failure, Section, Skeleton } from '../ui/page'
import { GrantTable } from './grants'
import { Chip } from './identity'
import { Words } from './words'

interface AuthorityProps {
  of: { kind: 'user' | 'agent' | 'group'; id: string; name: string }
}

/** What somebody or something was given itself, and what it holds in all, each with where it comes from. */
export function Authority({ of: principal }: AuthorityProps) {
  const text = useText()
  const grants = useInfiniteQuery(queries.grants({ principal: principal.id }))
  const held = useQuery(queries.held(principal.id))
  const [giving, setGiving] = useState(false)
  const [taking, setTaking] = useState<Grant>()
  const mayGive = useReason('roles:grant', { stepUp: true })
  return (
    <>
      <Section
        title={text.access.given}
        actions={
          <Button icon="plus" reason={mayGive} onClick={() => setGiving(true)}>
            {text.access.give}
          </Button>
        }
      >
        <GrantTable query={grants} without="principal" onTake={setTaking} />
      </Section>
      <Section title={text.access.effective}>
        <p className="muted">{text.access.effectiveDetail}</p>
        {held.isError && <Failure error={held.error} onRetry={() => void held.refetch()} />}
        {held.isPending && <Skeleton />}
        {held.data && <Effective of={held.data} />}
      </Section>
      {giving && (
        <Dialog title={text.access.giveTo(principal.name)} kind="side" onClose={() => setGiving(false)}>
          <GrantForm to={principal} onDone={() => setGiving(false)} />
        </Dialog>
      )}
      {taking && <GrantTaking of={taking} onClose={() => setTaking(undefined)} />}
    </>
  )
}

/** A line for each grant, with all that it brings; what others cover already is not told twice. */
function Effective({ of: held }: { of: Held }) {
  const text = useText()
  if (held.sources.length === 0) return <p>{text.access.holdsNothing}</p>
  return (
    <div className="listing">
      <table>
        <caption className="visually-hidden">{text.access.effective}</caption>
        <thead>
          <tr>
            <th scope="col">{text.access.by}</th>
            <th scope="col">{text.access.permissions}</th>
          </tr>
        </thead>
        <tbody>
          {held.sources.map((source) => (
            <tr key={source.grant}>
              <td>
                <span className="name">
                  <span>{source.role ? <Name of={source.role} /> : text.access.single}</span>
                  {source.group && (
                    <span className="muted">
                      {text.access.throughGroup} <Chip of={{ kind: 'group', id: source.group }} />
                    </span>
                  )}
                </span>
              </td>
              <td>
                <Words of={source.permissions} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
