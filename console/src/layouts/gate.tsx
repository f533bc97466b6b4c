import { useQuery } from '@tanstack/react-query'
import { Outlet } from '@tanstack/react-router'
import { queries } from '../api/queries'
import { useNobody } from '../hooks/nobody'
import { useText } from '../text'
import { Failure, Skeleton } from '../ui/page'
import { Bare } from './bare'
import { SignedOut } from './signed-out'
import { StepUp } from './step-up'

/** For pages without places around them that still need somebody: what asks to be let in is let in by a person. */
export function Gate() {
  const text = useText()
  const me = useQuery(queries.me())
  const nobody = useNobody(me)
  if (nobody) return <SignedOut />
  if (!me.data) {
    return (
      <Bare title={text.signedOut.title}>
        {me.isPending ? <Skeleton /> : <Failure error={me.error} onRetry={() => void me.refetch()} />}
      </Bare>
    )
  }
  return (
    <>
      <Outlet />
      <StepUp />
    </>
  )
}
