import { useQuery } from '@tanstack/react-query'
import { queries } from '../api/queries'
import { useText } from '../text'
import { useNow } from './now'

/** Everything that a control of the console may need; asked in one request. */
const asked = [
  'agents:create',
  'agents:update',
  'credentials:create',
  'credentials:update',
  'functions:create',
  'functions:update',
  'functions:delete',
  'functions:execute',
  'runs:update',
  'audit:read',
] as const

export type Right = (typeof asked)[number]

/** Why this can't be done, or undefined when it can. The server decides; this only spares the try. */
export function useReason(right: Right, needsStepUp = false): string | undefined {
  const text = useText()
  const now = useNow()
  const me = useQuery(queries.me())
  const checked = useQuery(queries.may([...asked]))
  const found = checked.data?.results.find((result) => result.permission === right)
  if (found && !found.allowed) return text.lacks(right)
  const session = me.data?.session
  if (needsStepUp && session && Date.parse(session.stepped_up_until) < now) return text.needsStepUp
  return undefined
}
