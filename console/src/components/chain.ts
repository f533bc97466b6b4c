/** Who acted, on behalf of whom: read from left to right, whoever acted first. */

import type { Fact } from '../api/types'

/**
 * Of those who act for the actor the outermost, then the actor, then whom that one acted for. What the platform did, it did
 * itself: the others are those in whose chain it stepped in.
 */
export function chainOf({ act, actor, on_behalf_of }: Pick<Fact, 'act' | 'actor' | 'on_behalf_of'>) {
  const first = actor.kind === 'system' ? [actor, ...act] : [...act, actor]
  return [...first, ...(on_behalf_of ? [on_behalf_of] : [])]
}
