import { isJson } from '../api/json-text'
import type { Body, Hook } from '../api/types'
import { listed } from './listed'
import { isMembers, same } from './merge-patch'

/** A hook as its form holds it, and what is sent of that. */

export type New = Body<'hooks.create'>
export type Changes = Body<'hooks.update'>

/** Presets of signatures first: what most senders do. */
export const WAYS = [
  'github',
  'stripe',
  'slack',
  'standard_webhooks',
  'generic',
  'token',
  'basic',
  'none',
] as const
export type Way = (typeof WAYS)[number]

export const METHODS = ['POST', 'GET', 'PUT', 'PATCH', 'DELETE'] as const
export const INPUTS = ['body', 'envelope'] as const
export const RESPONSES = ['sync', 'mapped', 'async'] as const

/** What tells a repeat, where the sender says it by itself. */
export const REPEATS: Partial<Record<Way, string>> = {
  github: 'X-GitHub-Delivery',
  standard_webhooks: 'webhook-id',
}

/** How long a repeat is told, in seconds, if nobody says. */
export const REMEMBERED = 86_400

export interface Draft {
  path: string
  target: string
  description: string
  methods: (typeof METHODS)[number][]
  way: Way
  header: string
  prefix: string
  algorithm: 'sha256' | 'sha512'
  encoding: 'hex' | 'base64'
  timestamp: string
  tolerance: string
  username: string
  secret: string
  /** With commas between. */
  addresses: string
  /** A header, or a pointer into the body. */
  repeat: string
  remembered: string
  input: (typeof INPUTS)[number]
  /** JSON, as it is typed. */
  defaults: string
  routes: string
  response: (typeof RESPONSES)[number]
  permissions: string[]
  rate: string
  places: string
  bytes: string
}

export const blank: Draft = {
  path: '',
  target: '',
  description: '',
  methods: ['POST'],
  way: 'github',
  header: 'X-Signature',
  prefix: '',
  algorithm: 'sha256',
  encoding: 'hex',
  timestamp: '',
  tolerance: '',
  username: '',
  secret: '',
  addresses: '',
  repeat: REPEATS.github ?? '',
  remembered: String(REMEMBERED),
  input: 'body',
  defaults: '',
  routes: '',
  response: 'sync',
  permissions: [],
  rate: '',
  places: '',
  bytes: '',
}

export function draftOf(hook: Hook): Draft {
  const by = hook.authentication
  const repeat = hook.deduplication
  const defaults = hook.input.defaults ?? {}
  return {
    path: hook.path,
    target: hook.target.name.replace('/', ':'),
    description: hook.description,
    methods: hook.methods,
    way: wayOf(by),
    header: by.header ?? blank.header,
    prefix: by.prefix ?? '',
    algorithm: by.algorithm ?? 'sha256',
    encoding: by.encoding ?? 'hex',
    timestamp: by.timestamp_header ?? '',
    tolerance: by.tolerance_seconds ? String(by.tolerance_seconds) : '',
    username: by.username ?? '',
    secret: '',
    addresses: hook.allowed_ips.join(', '),
    repeat: repeat?.header ?? repeat?.pointer ?? '',
    remembered: String(repeat?.ttl_seconds ?? REMEMBERED),
    input: hook.input.mode ?? 'body',
    defaults: Object.keys(defaults).length > 0 ? JSON.stringify(defaults, null, 2) : '',
    routes: hook.routes.length > 0 ? JSON.stringify(hook.routes, null, 2) : '',
    response: hook.response,
    permissions: hook.permissions,
    rate: String(hook.rate_per_minute),
    places: String(hook.concurrency),
    bytes: String(hook.max_body_bytes),
  }
}

/** The way of a hook that is there. */
export function wayOf({ kind, preset }: Hook['authentication']): Way {
  return kind === 'hmac' ? (preset ?? 'generic') : kind
}

export function hasSecret(way: Way): boolean {
  return way !== 'token' && way !== 'none'
}

/** Whether the time of signing is part of the signature. */
export function isTimed({ way, timestamp }: Draft): boolean {
  return (
    ['stripe', 'slack', 'standard_webhooks'].includes(way) || (way === 'generic' && timestamp.trim() !== '')
  )
}

/** Which part cannot be sent as it is. */
export function unfit(draft: Draft): 'defaults' | 'routes' | 'methods' | undefined {
  if (draft.methods.length === 0) return 'methods'
  if (draft.defaults.trim() !== '' && !(isJson(draft.defaults) && isMembers(JSON.parse(draft.defaults))))
    return 'defaults'
  if (draft.routes.trim() !== '' && !(isJson(draft.routes) && Array.isArray(JSON.parse(draft.routes))))
    return 'routes'
  return undefined
}

function authenticationOf(draft: Draft): New['authentication'] {
  const tolerance = isTimed(draft) && draft.tolerance.trim() && { tolerance_seconds: Number(draft.tolerance) }
  switch (draft.way) {
    case 'token':
    case 'none':
      return { kind: draft.way }
    case 'basic':
      return { kind: 'basic', username: draft.username.trim() }
    case 'generic':
      return {
        kind: 'hmac',
        preset: 'generic',
        header: draft.header.trim(),
        algorithm: draft.algorithm,
        encoding: draft.encoding,
        ...(draft.prefix && { prefix: draft.prefix }),
        ...(draft.timestamp.trim() && { timestamp_header: draft.timestamp.trim() }),
        ...tolerance,
      }
    default:
      return { kind: 'hmac', preset: draft.way, ...tolerance }
  }
}

function repeatOf(draft: Draft): New['deduplication'] {
  const told = draft.repeat.trim()
  const ttl_seconds = Number(draft.remembered) || REMEMBERED
  if (told === '') return null
  return told.startsWith('/') ? { pointer: told, ttl_seconds } : { header: told, ttl_seconds }
}

function numberOf(text: string): number | null {
  return text.trim() === '' ? null : Number(text)
}

/** All that a hook is, as the API has it; null and empty are the defaults. For drafts that fit. */
function whole(draft: Draft) {
  return {
    path: draft.path.trim(),
    target: { function: draft.target.trim() },
    methods: METHODS.filter((method) => draft.methods.includes(method)),
    description: draft.description.trim(),
    authentication: authenticationOf(draft),
    allowed_ips: listed(draft.addresses),
    deduplication: repeatOf(draft),
    input: {
      mode: draft.input,
      ...(draft.defaults.trim() && { defaults: JSON.parse(draft.defaults) }),
    },
    routes: draft.routes.trim() === '' ? [] : JSON.parse(draft.routes),
    response: draft.response,
    permissions: draft.permissions,
    rate_per_minute: numberOf(draft.rate),
    concurrency: numberOf(draft.places),
    max_body_bytes: numberOf(draft.bytes),
  }
}

export function made(draft: Draft): New {
  const told = Object.entries(whole(draft)).filter(
    ([, value]) => value !== null && value !== '' && !(Array.isArray(value) && value.length === 0),
  )
  return {
    ...Object.fromEntries(told),
    ...(hasSecret(draft.way) && draft.secret && { secret: draft.secret }),
  } as New
}

/** What differs, each member as a whole; undefined while something typed cannot be sent. */
export function changed(draft: Draft, base: Draft): Changes | undefined {
  if (unfit(draft)) return undefined
  const before = whole(base) as Record<string, unknown>
  const differs = Object.entries(whole(draft)).filter(([name, value]) => !same(before[name], value))
  const patch: Record<string, unknown> = Object.fromEntries(differs)
  // A secret comes with the authentication that it belongs to.
  if (hasSecret(draft.way) && draft.secret) {
    patch.authentication = authenticationOf(draft)
    patch.secret = draft.secret
  }
  return patch as Changes
}

/** Whoever changes one of these becomes the owner. */
const DEEDS = [
  'target',
  'permissions',
  'authentication',
  'allowed_ips',
  'input',
  'routes',
  'response',
] as const

export function takesOver(patch: Changes): boolean {
  return DEEDS.some((deed) => deed in patch)
}
