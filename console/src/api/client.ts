/** The one client: generated types, same-origin cookies, refusals as `Problem`. */

import createClient from 'openapi-fetch'
import { Problem, Unreachable } from './problem'
import type { paths } from './schema'

export const api = createClient<paths>({ baseUrl: '', credentials: 'same-origin' })

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/** The answer's body; throws a `Problem` for a refusal and `Unreachable` if nothing came back. */
export async function answered<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await call.catch((cause: unknown) => {
    throw new Unreachable(String(cause))
  })
  if (!response.ok) throw new Problem(response.status, error, response.headers.get('x-request-id'))
  return data as T
}

/** The one answer outside the described API: public, and 503 while the database is down. */
export interface Health {
  status: string
  version: string
  uptime_seconds: number
  database: string
  bus: string
  vault: string
}

export async function health(): Promise<Health> {
  const response = await fetch('/health')
  return response.json()
}

/** A key for one attempt at a change: sent again with the same attempt, it cannot be done twice. */
export function attemptKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}
