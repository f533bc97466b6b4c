/** What can be read, each with the key that it is cached under. */

import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { answered, api, health } from './client'
import { members } from './json-text'
import type { Answer, Body, Page, Run, Schedule, ScheduleSummary, StateEntry, WholeRun } from './types'

/** A list by its filters, page after page. */
function list<T>(
  key: unknown[],
  fetchPage: (paging: { limit: number; cursor?: string }) => Promise<Page<T>>,
) {
  return infiniteQueryOptions({
    queryKey: key,
    queryFn: ({ pageParam }) => fetchPage({ limit: 50, ...(pageParam && { cursor: pageParam }) }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  })
}

export type Filters = Record<string, string | undefined>

/** Only what is set; the client would write `undefined` into the address otherwise. */
function set(filters: Filters): Record<string, string> {
  return Object.fromEntries(
    Object.entries(filters).filter((pair): pair is [string, string] => Boolean(pair[1])),
  )
}

/** A run with its input and output as they were sent. */
function whole(answer: string): WholeRun {
  const texts = members(answer)
  return { ...(JSON.parse(answer) as Run), input: texts.get('input'), output: texts.get('output') }
}

function wholeEntry(answer: string): StateEntry {
  const entry = JSON.parse(answer) as Answer<'state.entries.get'>
  return { ...entry, value: members(answer).get('value') }
}

function wholeSchedule(answer: string): Schedule {
  const schedule = JSON.parse(answer) as ScheduleSummary
  return { ...schedule, input: members(answer).get('input') ?? '{}' }
}

/** Permissions that the server answers for in one request. */
const ASKED_AT_ONCE = 100

export const queries = {
  me: () =>
    queryOptions({
      queryKey: ['me'],
      queryFn: () => answered(api.GET('/api/v1/auth/me')),
      staleTime: 60_000,
      retry: false,
    }),

  /** Asked of the server one by one, so that its grammar stays its own. */
  may: (permissions: string[]) =>
    queryOptions({
      queryKey: ['may', permissions],
      queryFn: async () => {
        const parts = Array.from({ length: Math.ceil(permissions.length / ASKED_AT_ONCE) }, (_, at) =>
          permissions.slice(at * ASKED_AT_ONCE, (at + 1) * ASKED_AT_ONCE),
        )
        const ask = (permissions: string[]) =>
          answered(api.POST('/api/v1/permissions/check', { body: { permissions, logic: 'any' } }))
        return { results: (await Promise.all(parts.map(ask))).flatMap(({ results }) => results) }
      },
      staleTime: 60_000,
    }),

  /** The ways in that are switched on, for everybody and for this organization. */
  offered: (org?: string) =>
    queryOptions({
      queryKey: ['offered', org],
      queryFn: () =>
        answered(api.GET('/api/v1/auth/providers', { params: { query: { ...(org && { org }) } } })),
      retry: false,
    }),

  stepUpWays: () =>
    queryOptions({
      queryKey: ['step-up'],
      queryFn: () => answered(api.GET('/api/v1/auth/step-up')),
      retry: false,
    }),

  factors: () =>
    queryOptions({
      queryKey: ['factors'],
      queryFn: () => answered(api.GET('/api/v1/auth/factors')),
    }),

  authProviders: (instance: boolean) =>
    list(['auth-providers', instance], (paging) =>
      answered(
        api.GET('/api/v1/auth-providers', {
          params: { query: { ...(instance && { instance }), ...paging } },
        }),
      ),
    ),

  authProvider: (id: string) =>
    queryOptions({
      queryKey: ['auth-providers', id],
      queryFn: () =>
        answered(
          api.GET('/api/v1/auth-providers/{auth_provider}', { params: { path: { auth_provider: id } } }),
        ),
    }),

  authProviderKinds: () =>
    queryOptions({
      queryKey: ['auth-provider-kinds'],
      queryFn: () => answered(api.GET('/api/v1/auth-providers/kinds')),
      staleTime: Number.POSITIVE_INFINITY,
    }),

  policies: () => list(['policies'], (query) => answered(api.GET('/api/v1/policies', { params: { query } }))),

  policy: (policy: string) =>
    queryOptions({
      queryKey: ['policies', policy],
      queryFn: () => answered(api.GET('/api/v1/policies/{policy}', { params: { path: { policy } } })),
    }),

  accessGraph: (permission: string) =>
    queryOptions({
      queryKey: ['access-graph', permission],
      queryFn: () => answered(api.GET('/api/v1/access/graph', { params: { query: { permission } } })),
    }),

  accessAdvice: (agent: string, days: number) =>
    queryOptions({
      queryKey: ['access-advice', agent, days],
      queryFn: () =>
        answered(
          api.GET('/api/v1/agents/{agent}/access-advice', { params: { path: { agent }, query: { days } } }),
        ),
    }),

  health: () =>
    queryOptions({
      queryKey: ['health'],
      queryFn: health,
      refetchInterval: 15_000,
    }),

  verified: () =>
    queryOptions({
      queryKey: ['verified'],
      queryFn: async () => {
        const query = { incremental: true }
        const found = await answered(api.GET('/api/v1/audit/verify', { params: { query } }))
        // Without new records the check ends where it would have begun.
        return { verified: found.verified, count: Math.max(found.to, found.from - 1) }
      },
      staleTime: 60_000,
      refetchInterval: 60_000,
    }),

  sessions: () => list(['sessions'], () => answered(api.GET('/api/v1/auth/sessions'))),

  orgs: (filters: Filters = {}) =>
    list(['orgs', filters], (paging) =>
      answered(api.GET('/api/v1/orgs', { params: { query: { ...set(filters), ...paging } } })),
    ),

  /** The one named, or the one that the caller stands in. */
  org: (org?: string) =>
    queryOptions({
      queryKey: ['orgs', 'one', org],
      queryFn: () =>
        answered(
          org === undefined
            ? api.GET('/api/v1/org')
            : api.GET('/api/v1/orgs/{org}', { params: { path: { org } } }),
        ),
    }),

  domains: () => list(['domains'], () => answered(api.GET('/api/v1/domains'))),

  agents: (filters: Filters = {}) =>
    list(['agents', filters], (paging) =>
      answered(api.GET('/api/v1/agents', { params: { query: { ...set(filters), ...paging } } })),
    ),

  agent: (agent: string) =>
    queryOptions({
      queryKey: ['agents', agent],
      queryFn: () => answered(api.GET('/api/v1/agents/{agent}', { params: { path: { agent } } })),
    }),

  credentials: (agent: string) =>
    list(['agents', agent, 'credentials'], (query) =>
      answered(api.GET('/api/v1/agents/{agent}/credentials', { params: { path: { agent }, query } })),
    ),

  expiring: (before: string) =>
    list(['credentials', 'expiring'], (paging) =>
      answered(
        api.GET('/api/v1/credentials', {
          params: { query: { expires_before: before, status: 'active', ...paging } },
        }),
      ),
    ),

  roles: (filters: Filters = {}) =>
    list(['roles', filters], (paging) =>
      answered(api.GET('/api/v1/roles', { params: { query: { ...set(filters), ...paging, limit: 200 } } })),
    ),

  users: () =>
    list(['users'], (query) =>
      answered(api.GET('/api/v1/users', { params: { query: { ...query, limit: 200 } } })),
    ),

  members: (filters: Filters = {}) =>
    list(['members', filters], (paging) =>
      answered(api.GET('/api/v1/members', { params: { query: { ...set(filters), ...paging } } })),
    ),

  member: (user: string) =>
    queryOptions({
      queryKey: ['members', user],
      queryFn: () => answered(api.GET('/api/v1/members/{user}', { params: { path: { user } } })),
    }),

  invitations: (filters: Filters = {}) =>
    list(['invitations', filters], (paging) =>
      answered(api.GET('/api/v1/invitations', { params: { query: { ...set(filters), ...paging } } })),
    ),

  groups: (filters: Filters = {}) =>
    list(['groups', filters], (paging) =>
      answered(api.GET('/api/v1/groups', { params: { query: { ...set(filters), ...paging } } })),
    ),

  group: (group: string) =>
    queryOptions({
      queryKey: ['groups', group],
      queryFn: () => answered(api.GET('/api/v1/groups/{group}', { params: { path: { group } } })),
    }),

  groupMembers: (group: string) =>
    list(['groups', group, 'members'], (query) =>
      answered(api.GET('/api/v1/groups/{group}/members', { params: { path: { group }, query } })),
    ),

  role: (role: string) =>
    queryOptions({
      queryKey: ['roles', role],
      queryFn: () => answered(api.GET('/api/v1/roles/{role}', { params: { path: { role } } })),
    }),

  grants: (filters: Filters = {}) =>
    list(['grants', filters], (paging) =>
      answered(api.GET('/api/v1/grants', { params: { query: { ...set(filters), ...paging } } })),
    ),

  /** What somebody or something holds, by which grant and through which group. */
  held: (principal: string) =>
    queryOptions({
      queryKey: ['held', principal],
      queryFn: () =>
        answered(api.GET('/api/v1/permissions/of/{principal}', { params: { path: { principal } } })),
    }),

  catalogue: () =>
    queryOptions({
      queryKey: ['catalogue'],
      queryFn: () => answered(api.GET('/api/v1/permissions')),
      staleTime: 60_000,
    }),

  /** Which operations these would open, by the server's own reading. */
  opens: (permissions: string[]) =>
    queryOptions({
      queryKey: ['opens', permissions],
      queryFn: () => answered(api.POST('/api/v1/permissions/opens', { body: { permissions } })),
      staleTime: 60_000,
    }),

  apiKeys: (filters: Filters = {}) =>
    list(['api-keys', filters], (paging) =>
      answered(api.GET('/api/v1/api-keys', { params: { query: { ...set(filters), ...paging } } })),
    ),

  functions: (filters: Filters = {}) =>
    list(['functions', filters], (paging) =>
      answered(api.GET('/api/v1/functions', { params: { query: { ...set(filters), ...paging } } })),
    ),

  fn: (fn: string) =>
    queryOptions({
      queryKey: ['functions', fn],
      queryFn: () =>
        answered(api.GET('/api/v1/functions/{function}', { params: { path: { function: fn } } })),
    }),

  fnVersions: (fn: string) =>
    list(['functions', fn, 'versions'], (query) =>
      answered(
        api.GET('/api/v1/functions/{function}/versions', { params: { path: { function: fn }, query } }),
      ),
    ),

  runs: (filters: Filters = {}) =>
    list(['runs', filters], (paging) =>
      answered(api.GET('/api/v1/runs', { params: { query: { ...set(filters), ...paging } } })),
    ),

  run: (run: string) =>
    queryOptions({
      queryKey: ['runs', run],
      queryFn: async () =>
        whole(await answered(api.GET('/api/v1/runs/{run}', { params: { path: { run } }, parseAs: 'text' }))),
    }),

  schedules: (filters: Filters = {}) =>
    list(['schedules', filters], (paging) =>
      answered(api.GET('/api/v1/schedules', { params: { query: { ...set(filters), ...paging } } })),
    ),

  schedule: (schedule: string) =>
    queryOptions({
      queryKey: ['schedules', schedule],
      queryFn: async () =>
        wholeSchedule(
          await answered(
            api.GET('/api/v1/schedules/{schedule}', { params: { path: { schedule } }, parseAs: 'text' }),
          ),
        ),
    }),

  ticks: (schedule: string) =>
    list(['schedules', schedule, 'ticks'], (query) =>
      answered(api.GET('/api/v1/schedules/{schedule}/ticks', { params: { path: { schedule }, query } })),
    ),

  /** As many as one page holds, for the calendar. */
  recentTicks: (schedule: string) =>
    queryOptions({
      queryKey: ['schedules', schedule, 'recent'],
      queryFn: async () => {
        const params = { path: { schedule }, query: { limit: 200 } }
        return (await answered(api.GET('/api/v1/schedules/{schedule}/ticks', { params }))).items
      },
    }),

  /** The ticks that a schedule of this timing would have; asked anew when the one that it waits for is another. */
  preview: (body: Body<'schedules.preview'>, waitsFor?: string) =>
    queryOptions({
      queryKey: ['preview', body, waitsFor],
      queryFn: async () => (await answered(api.POST('/api/v1/schedules/preview', { body }))).ticks,
      retry: false,
    }),

  hooks: (filters: Filters = {}) =>
    list(['hooks', filters], (paging) =>
      answered(api.GET('/api/v1/hooks', { params: { query: { ...set(filters), ...paging } } })),
    ),

  hook: (hook: string) =>
    queryOptions({
      queryKey: ['hooks', hook],
      queryFn: () => answered(api.GET('/api/v1/hooks/{hook}', { params: { path: { hook } } })),
    }),

  deliveries: (hook: string, filters: Filters = {}) =>
    list(['hooks', hook, 'deliveries', filters], (paging) =>
      answered(
        api.GET('/api/v1/hooks/{hook}/deliveries', {
          params: { path: { hook }, query: { ...set(filters), ...paging } },
        }),
      ),
    ),

  delivery: (hook: string, delivery: string) =>
    queryOptions({
      queryKey: ['hooks', hook, 'delivery', delivery],
      queryFn: () =>
        answered(
          api.GET('/api/v1/hooks/{hook}/deliveries/{delivery}', { params: { path: { hook, delivery } } }),
        ),
    }),

  secrets: (filters: Filters = {}) =>
    list(['secrets', filters], (paging) =>
      answered(api.GET('/api/v1/secrets', { params: { query: { ...set(filters), ...paging } } })),
    ),

  secret: (secret: string) =>
    queryOptions({
      queryKey: ['secrets', secret],
      queryFn: () => answered(api.GET('/api/v1/secrets/{secret}', { params: { path: { secret } } })),
    }),

  namespaces: (filters: Filters = {}) =>
    list(['state', filters], (paging) =>
      answered(api.GET('/api/v1/state', { params: { query: { ...set(filters), ...paging } } })),
    ),

  namespace: (namespace: string) =>
    queryOptions({
      queryKey: ['state', namespace],
      queryFn: () => answered(api.GET('/api/v1/state/{namespace}', { params: { path: { namespace } } })),
    }),

  entries: (namespace: string, filters: Filters = {}) =>
    list(['state', namespace, 'entries', filters], (paging) =>
      answered(
        api.GET('/api/v1/state/{namespace}/entries', {
          params: { path: { namespace }, query: { ...set(filters), ...paging } },
        }),
      ),
    ),

  entry: (namespace: string, key: string) =>
    queryOptions({
      queryKey: ['state', namespace, 'entry', key],
      queryFn: async () =>
        wholeEntry(
          await answered(
            api.GET('/api/v1/state/{namespace}/entries/{key}', {
              params: { path: { namespace, key } },
              parseAs: 'text',
            }),
          ),
        ),
      // Reading a secret leaves a fact: it is not read again by itself.
      refetchOnWindowFocus: false,
    }),

  entryHistory: (namespace: string, key: string) =>
    list(['state', namespace, 'history', key], (query) =>
      answered(
        api.GET('/api/v1/state/{namespace}/history/{key}', { params: { path: { namespace, key }, query } }),
      ),
    ),

  configExport: (filters: { manager?: string; managed?: boolean }) =>
    queryOptions({
      queryKey: ['config', 'export', filters],
      queryFn: () => answered(api.GET('/api/v1/config/export', { params: { query: filters } })),
    }),

  configDrift: (manager?: string) =>
    queryOptions({
      queryKey: ['config', 'drift', manager],
      queryFn: () =>
        answered(api.GET('/api/v1/config/drift', { params: { query: manager ? { manager } : {} } })),
    }),

  packages: (filters: Filters = {}) =>
    list(['packages', filters], (paging) =>
      answered(api.GET('/api/v1/packages', { params: { query: { ...set(filters), ...paging } } })),
    ),

  queues: () => list(['queues'], () => answered(api.GET('/api/v1/queues'))),

  workers: () => list(['workers'], () => answered(api.GET('/api/v1/workers'))),

  pools: () => list(['pools'], () => answered(api.GET('/api/v1/pools'))),

  deadLetters: (queue: string) =>
    list(['queues', queue, 'dead'], (query) =>
      answered(api.GET('/api/v1/queues/{queue}/dead', { params: { path: { queue }, query } })),
    ),

  collections: (filters: Filters = {}) =>
    list(['files', filters], (paging) =>
      answered(api.GET('/api/v1/collections', { params: { query: { ...set(filters), ...paging } } })),
    ),

  collection: (collection: string) =>
    queryOptions({
      queryKey: ['files', collection],
      queryFn: () =>
        answered(api.GET('/api/v1/collections/{collection}', { params: { path: { collection } } })),
    }),

  files: (collection: string, filters: Filters = {}) =>
    list(['files', collection, 'files', filters], (paging) =>
      answered(
        api.GET('/api/v1/collections/{collection}/files', {
          params: { path: { collection }, query: { ...set(filters), ...paging } },
        }),
      ),
    ),

  file: (collection: string, name: string) =>
    queryOptions({
      queryKey: ['files', collection, 'file', name],
      queryFn: () =>
        answered(
          api.GET('/api/v1/collections/{collection}/files/{name}', {
            params: { path: { collection, name } },
          }),
        ),
    }),

  fileVersions: (collection: string, name: string) =>
    list(['files', collection, 'versions', name], (query) =>
      answered(
        api.GET('/api/v1/collections/{collection}/versions/{name}', {
          params: { path: { collection, name }, query },
        }),
      ),
    ),

  fileLinks: (collection: string, name: string) =>
    list(['files', collection, 'links', name], (query) =>
      answered(
        api.GET('/api/v1/collections/{collection}/links/{name}', {
          params: { path: { collection, name }, query },
        }),
      ),
    ),

  facts: (filters: Filters = {}) =>
    list(['facts', filters], (paging) =>
      answered(api.GET('/api/v1/audit/events', { params: { query: { ...set(filters), ...paging } } })),
    ),

  fact: (fact: string) =>
    queryOptions({
      queryKey: ['fact', fact],
      // The log signs every second or so; until then there is no proof.
      refetchInterval: ({ state }) => (state.data && !state.data.proof ? 1_000 : false),
      queryFn: () => answered(api.GET('/api/v1/audit/events/{fact}', { params: { path: { fact } } })),
    }),

  kinds: () =>
    queryOptions({
      queryKey: ['kinds'],
      queryFn: () => answered(api.GET('/api/v1/events/catalogue')),
      staleTime: Number.POSITIVE_INFINITY,
    }),
}
