import { useQuery, useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useEffect } from 'react'
import { queries } from '../api/queries'
import { settle, useAsked } from '../hooks/step-up'

const Dialog = lazy(async () => ({ default: (await import('../pages/account/step-up')).StepUpDialog }))

/** Asks for a confirmation as soon as an act needs one. */
export function StepUp() {
  const asked = useAsked()
  const client = useQueryClient()
  const ways = useQuery({ ...queries.stepUpWays(), enabled: asked, staleTime: 0 })
  // Whoever leaves the page confirms nothing any more.
  useEffect(() => () => settle(false), [])
  if (!asked) return null
  return (
    <Suspense>
      <Dialog
        ways={ways}
        onClose={() => settle(false)}
        onDone={async () => {
          // The session has another cookie and is confirmed until later.
          await client.invalidateQueries({ queryKey: ['me'] })
          settle(true)
        }}
      />
    </Suspense>
  )
}
