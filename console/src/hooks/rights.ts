import { useQuery } from '@tanstack/react-query'
import { queries } from '../api/queries'
import { useText } from '../text'
import { useNow } from './now'

/** Everything that a control of the console may need; asked at once. */
const rights = [
  'agents:create',
  'agents:update',
  'agents:delete',
  'credentials:create',
  'credentials:update',
  'functions:create',
  'functions:update',
  'functions:delete',
  'functions:execute',
  'packages:create',
  'packages:approve',
  'packages:delete',
  'runs:update',
  'runs:continue',
  'schedules:create',
  'schedules:update',
  'schedules:delete',
  'hooks:create',
  'hooks:update',
  'hooks:delete',
  'secrets:create',
  'secrets:update',
  'secrets:delete',
  'state:create',
  'state:update',
  'state:write',
  'state:delete',
  'files:create',
  'files:update',
  'files:write',
  'files:delete',
  'agents:approve',
  'members:create',
  'members:update',
  'members:delete',
  'users:create',
  'users:update',
  'groups:create',
  'groups:update',
  'groups:delete',
  'roles:create',
  'roles:update',
  'roles:delete',
  'roles:grant',
  'policies:read',
  'api_keys:create',
  'api_keys:delete',
  'system:users',
  'orgs:update',
  'orgs:delete',
  'system:orgs',
  'auth_providers:create',
  'auth_providers:update',
  'auth_providers:delete',
  'policies:create',
  'policies:update',
  'config:update',
  'system:update',
] as const

export type Right = (typeof rights)[number]

/** What is acted upon, as far as rights tell objects apart. */
export interface Target {
  /** `namespace/name`, or the id; left out for what has none yet. */
  selector?: string
  /** Whose it is; whoever makes something owns it. */
  owner?: string
}

/** What has a name and an owner, as rights see it. */
export function named(of: { namespace: string; name: string; owner: { id: string } }): Target {
  return { selector: `${of.namespace}/${of.name}`, owner: of.owner.id }
}

interface Needs {
  of?: Target
  /** A confirmation of the last minutes. It is asked for when it is needed, so only who has no way to confirm hears of it. */
  stepUp?: boolean
}

/** Why this can't be done, or undefined when it can. The server decides; this only spares the try. */
export function useReason(right: Right, { of = {}, stepUp = false }: Needs = {}): string | undefined {
  const text = useText()
  const now = useNow()
  const me = useQuery(queries.me()).data
  const { selector, owner } = of
  const asked = rights
    .filter((known) => selector === undefined || resource(known) === resource(right))
    .flatMap((known) => reaches(known, selector))
  const isOver =
    me?.session !== undefined && me.session !== null && Date.parse(me.session.stepped_up_until) < now
  const ways = useQuery({ ...queries.stepUpWays(), enabled: stepUp && isOver }).data?.ways
  const results = useQuery(queries.may(asked)).data?.results
  const holds = (permission: string) =>
    results?.find((result) => result.permission === permission)?.allowed !== false
  const [own, all] = reaches(right, selector)
  const mine = owner === undefined || owner === me?.principal.id
  if (me && results && !holds(all) && !(mine && holds(own))) {
    // What is held for some objects only may be enough for one that does not exist yet.
    const some = me.permissions.some((held) => held.startsWith(`${resource(right)}/`))
    if (selector !== undefined || !some) return text.lacks(holds(own) ? `${right}:all` : right)
  }
  if (stepUp && isOver && ways?.length === 0) return text.needsStepUp
  return undefined
}

function resource(right: Right): string {
  return right.slice(0, right.indexOf(':'))
}

/** The permission for what is one's own, and for what is anybody's. */
function reaches(right: Right, selector: string | undefined): [string, string] {
  const [name, action] = right.split(':')
  const object = selector === undefined ? name : `${name}/${selector}`
  return [`${object}:${action}:own`, `${object}:${action}:all`]
}
