import type { UseQueryResult } from '@tanstack/react-query'
import { useState } from 'react'
import { Problem } from '../api/problem'
import type { Me } from '../api/types'

/**
 * Whether nobody is signed in. While that is asked again, the answer from before holds: whoever has gone to fetch a code and
 * comes back finds the sign-in where it was.
 */
export function useNobody(me: UseQueryResult<Me>): boolean {
  const refused = me.error instanceof Problem && me.error.status === 401
  const [nobody, setNobody] = useState(refused)
  if (refused !== nobody && (refused || me.data)) setNobody(refused)
  return refused || (nobody && !me.data)
}
