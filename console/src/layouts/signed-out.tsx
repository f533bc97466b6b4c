import { lazy, Suspense } from 'react'

const SignIn = lazy(async () => ({ default: (await import('../pages/sign-in/sign-in')).SignIn }))

/** Nobody is signed in: the ways in, at the address that was asked for. */
export function SignedOut() {
  return (
    <Suspense>
      <SignIn />
    </Suspense>
  )
}
