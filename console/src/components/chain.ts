/** Who acted, on behalf of whom: read from left to right, whoever acted first. */

import type { Fact, Run } from '../api/types'

/** Of those who act for the actor the outermost, then the actor, then whom that one acted for. */
export function chainOf({ act, actor, on_behalf_of }: Pick<Fact, 'act' | 'actor' | 'on_behalf_of'>) {
  return [...act, actor, ...(on_behalf_of ? [on_behalf_of] : [])]
}

/** The same for the end of a run: the function ended it, unless the platform did. */
export function chainOfEnd(end: Parameters<typeof chainOf>[0], run: Pick<Run, 'function'>) {
  const chain = chainOf(end)
  return end.actor.kind === 'system' ? chain : [{ kind: 'function', id: run.function }, ...chain]
}
