import { useEffect, useState } from 'react'

/** The text as it was when nobody had typed for a moment, so that the server is not asked about every letter. */
export function useSettled(text: string): string {
  const [settled, setSettled] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), 250)
    return () => clearTimeout(timer)
  }, [text])
  return settled
}
