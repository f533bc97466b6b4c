import { useEffect, useState } from 'react'

const taken = new Map<string, string>()

/** Takes the secret out of the address at once, so that neither history nor a shared screen keeps it. */
function take(): string {
  const secret = location.hash.slice(1)
  if (secret) {
    taken.clear()
    taken.set(location.pathname, secret)
    history.replaceState(history.state, '', location.pathname + location.search)
  }
  return taken.get(location.pathname) ?? ''
}

/** What stood behind `#`, kept in memory for as long as the page is open. */
export function useFragment(): string {
  const [secret, setSecret] = useState(take)
  useEffect(() => {
    const again = () => setSecret(take())
    addEventListener('hashchange', again)
    return () => removeEventListener('hashchange', again)
  }, [])
  return secret
}

/** Once it was used it is worth nothing, and is kept no longer. */
export function forgetFragment(): void {
  taken.clear()
}
