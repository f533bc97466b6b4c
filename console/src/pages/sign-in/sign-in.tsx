import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { Bare } from '../../layouts/bare'
import { useText } from '../../text'
import { Ways } from './ways'

/** Shown in the place of a page that needs somebody: whoever signs in stays at the address that was asked for. */
export function SignIn() {
  const text = useText()
  const client = useQueryClient()
  const [org, setOrg] = useState<string>()
  useEffect(() => {
    document.title = `${text.signedOut.title} · Safeconduct`
  }, [text])
  return (
    <Bare title={text.signedOut.title}>
      <Ways
        org={org}
        returnTo={location.pathname + location.search + location.hash}
        onOrg={setOrg}
        onDone={() => void client.resetQueries()}
      />
    </Bare>
  )
}
