/**
 * Acts that need a fresh confirmation: the server says so, one dialog asks for it, and the act is done again. Whoever asks
 * waits for the answer; several that wait at once are answered together.
 */

import { useSyncExternalStore } from 'react'
import { Problem } from '../api/problem'

type Answer = (confirmed: boolean) => void

let waiting: Answer[] = []
const listeners = new Set<() => void>()

function put(next: Answer[]) {
  waiting = next
  for (const listener of listeners) listener()
}

/** Does it; where that needs a confirmation first, asks for one and does it again. */
export async function confirmed<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof Problem && error.code === 'step_up_required')) throw error
    if (!(await new Promise<boolean>((answer) => put([...waiting, answer])))) throw error
    return act()
  }
}

/** Tells everybody who waits what came of it. */
export function settle(outcome: boolean): void {
  const told = waiting
  put([])
  for (const answer of told) answer(outcome)
}

/** Whether somebody waits for a confirmation. */
export function useAsked(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => waiting.length > 0,
  )
}
