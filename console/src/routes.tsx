/**
 * Every page with its address and what of the address it reads. Pages load when they are first visited; what they show is
 * asked for at the same time, and already when the pointer comes near a link.
 */

import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
} from '@tanstack/react-router'
import { client } from './api/cache'
import { queries } from './api/queries'
import { Gate } from './layouts/gate'
import { NotFound } from './layouts/not-found'
import { Shell } from './layouts/shell'
import { Failure } from './ui/page'

type Search<K extends string> = { [name in K]?: string }

/** Keeps these parameters and drops all others. */
function search<K extends string>(...names: K[]) {
  return (given: Record<string, unknown>): Search<K> =>
    Object.fromEntries(
      names.filter((name) => given[name]).map((name) => [name, String(given[name])]),
    ) as Search<K>
}

const agentsSearch = search('q', 'status', 'env', 'type', 'panel')
const functionsSearch = search('q', 'package')
const packagesSearch = search('q', 'state', 'panel')
const membersSearch = search('tab', 'q', 'status', 'role', 'panel')
const groupsSearch = search('q', 'panel')
const schedulesSearch = search('q', 'state', 'function')
const filesSearch = search('q', 'panel')
const hooksSearch = search('q', 'active', 'panel')
const secretsSearch = search('q', 'panel')
const stateSearch = search('q', 'panel')
const rolesSearch = search('tab', 'q', 'role', 'principal', 'permission', 'panel')
const apiKeysSearch = search('owner', 'status', 'panel')
const orgsSearch = search('q', 'status', 'mine', 'panel')
const providersSearch = search('tab', 'panel')
const runsSearch = search('status', 'trigger', 'function', 'agent', 'principal')

const root = createRootRoute({ component: Outlet })

const welcome = createRoute({
  getParentRoute: () => root,
  path: '/welcome',
  component: lazyRouteComponent(() => import('./pages/welcome')),
})

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: search('org', 'return_to'),
  component: lazyRouteComponent(() => import('./pages/sign-in/page')),
})

const secondFactor = createRoute({
  getParentRoute: () => root,
  path: '/second-factor',
  component: lazyRouteComponent(() => import('./pages/sign-in/second-factor')),
})

const reset = createRoute({
  getParentRoute: () => root,
  path: '/reset',
  component: lazyRouteComponent(() => import('./pages/sign-in/reset')),
})

const gate = createRoute({ getParentRoute: () => root, id: 'gate', component: Gate })

const device = createRoute({
  getParentRoute: () => gate,
  path: '/device',
  component: lazyRouteComponent(() => import('./pages/sign-in/device')),
})

const authorize = createRoute({
  getParentRoute: () => gate,
  path: '/authorize',
  validateSearch: search('client_id', 'redirect_uri', 'code_challenge', 'state'),
  component: lazyRouteComponent(() => import('./pages/sign-in/authorize')),
})

const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: Shell,
})

const home = createRoute({
  getParentRoute: () => shell,
  path: '/',
  loader: () => {
    void client.prefetchQuery(queries.health())
    void client.prefetchQuery(queries.verified())
    void client.prefetchInfiniteQuery(queries.agents())
    void client.prefetchInfiniteQuery(queries.functions())
    void client.prefetchInfiniteQuery(queries.runs())
    void client.prefetchInfiniteQuery(queries.facts())
  },
  component: lazyRouteComponent(() => import('./pages/home')),
})

const agents = createRoute({
  getParentRoute: () => shell,
  path: '/agents',
  validateSearch: agentsSearch,
  loaderDeps: ({ search: { panel: _, ...filters } }) => filters,
  loader: ({ deps }) => void client.prefetchInfiniteQuery(queries.agents(deps)),
  component: lazyRouteComponent(() => import('./pages/agents/list')),
})

const agent = createRoute({
  getParentRoute: () => shell,
  path: '/agents/$agent',
  validateSearch: search('tab', 'panel'),
  loader: ({ params }) => void client.prefetchQuery(queries.agent(params.agent)),
  component: lazyRouteComponent(() => import('./pages/agents/detail')),
})

const functions = createRoute({
  getParentRoute: () => shell,
  path: '/functions',
  validateSearch: functionsSearch,
  loaderDeps: ({ search }) => search,
  loader: ({ deps }) => void client.prefetchInfiniteQuery(queries.functions(deps)),
  component: lazyRouteComponent(() => import('./pages/functions/list')),
})

const newFunction = createRoute({
  getParentRoute: () => shell,
  path: '/functions/new',
  component: lazyRouteComponent(() => import('./pages/functions/create')),
})

const fn = createRoute({
  getParentRoute: () => shell,
  path: '/functions/$fn',
  validateSearch: search('tab', 'run', 'panel'),
  loader: ({ params }) => void client.prefetchQuery(queries.fn(params.fn)),
  component: lazyRouteComponent(() => import('./pages/functions/detail')),
})

const runs = createRoute({
  getParentRoute: () => shell,
  path: '/runs',
  validateSearch: runsSearch,
  loaderDeps: ({ search }) => search,
  loader: ({ deps }) => void client.prefetchInfiniteQuery(queries.runs(deps)),
  component: lazyRouteComponent(() => import('./pages/runs/list')),
})

const run = createRoute({
  getParentRoute: () => shell,
  path: '/runs/$run',
  validateSearch: search('tab'),
  loader: ({ params }) => void client.prefetchQuery(queries.run(params.run)),
  component: lazyRouteComponent(() => import('./pages/runs/detail')),
})

const schedules = createRoute({
  getParentRoute: () => shell,
  path: '/schedules',
  validateSearch: schedulesSearch,
  loaderDeps: ({ search }) => search,
  loader: ({ deps }) => void client.prefetchInfiniteQuery(queries.schedules(deps)),
  component: lazyRouteComponent(() => import('./pages/schedules/list')),
})

const newSchedule = createRoute({
  getParentRoute: () => shell,
  path: '/schedules/new',
  component: lazyRouteComponent(() => import('./pages/schedules/create')),
})

const schedule = createRoute({
  getParentRoute: () => shell,
  path: '/schedules/$schedule',
  validateSearch: search('tab', 'panel'),
  loader: ({ params }) => void client.prefetchQuery(queries.schedule(params.schedule)),
  component: lazyRouteComponent(() => import('./pages/schedules/detail')),
})

const hooks = createRoute({
  getParentRoute: () => shell,
  path: '/hooks',
  validateSearch: hooksSearch,
  loaderDeps: ({ search: { panel: _, ...filters } }) => filters,
  loader: ({ deps }) => void client.prefetchInfiniteQuery(queries.hooks(deps)),
  component: lazyRouteComponent(() => import('./pages/hooks/list')),
})

const hook = createRoute({
  getParentRoute: () => shell,
  path: '/hooks/$hook',
  validateSearch: search('tab', 'outcome', 'delivery', 'panel'),
  loader: ({ params }) => void client.prefetchQuery(queries.hook(params.hook)),
  component: lazyRouteComponent(() => import('./pages/hooks/detail')),
})

const secrets = createRoute({
  getParentRoute: () => shell,
  path: '/secrets',
  validateSearch: secretsSearch,
  loaderDeps: ({ search: { panel: _, ...filters } }) => filters,
  loader: ({ deps }) => void client.prefetchInfiniteQuery(queries.secrets(deps)),
  component: lazyRouteComponent(() => import('./pages/secrets/list')),
})

const secret = createRoute({
  getParentRoute: () => shell,
  path: '/secrets/$secret',
  validateSearch: search('panel'),
  loader: ({ params }) => void client.prefetchQuery(queries.secret(params.secret)),
  component: lazyRouteComponent(() => import('./pages/secrets/detail')),
})

const state = createRoute({
  getParentRoute: () => shell,
  path: '/state',
  validateSearch: stateSearch,
  loaderDeps: ({ search: { panel: _, ...filters } }) => filters,
  loader: ({ deps }) => void client.prefetchInfiniteQuery(queries.namespaces(deps)),
  component: lazyRouteComponent(() => import('./pages/state/list')),
})

const namespace = createRoute({
  getParentRoute: () => shell,
  path: '/state/$namespace',
  validateSearch: search('tab', 'q', 'prefix', 'tags', 'visibility', 'panel'),
  loader: ({ params }) => void client.prefetchQuery(queries.namespace(params.namespace)),
  component: lazyRouteComponent(() => import('./pages/state/namespace')),
})

const entry = createRoute({
  getParentRoute: () => shell,
  path: '/state/$namespace/entries/$',
  validateSearch: search('tab', 'panel'),
  loader: ({ params }) => void client.prefetchQuery(queries.namespace(params.namespace)),
  component: lazyRouteComponent(() => import('./pages/state/entry')),
})

const packages = createRoute({
  getParentRoute: () => shell,
  path: '/packages',
  validateSearch: packagesSearch,
  loaderDeps: ({ search: { panel: _, ...filters } }) => filters,
  loader: ({ deps }) => void client.prefetchInfiniteQuery(queries.packages(deps)),
  component: lazyRouteComponent(() => import('./pages/packages/list')),
})

const queues = createRoute({
  getParentRoute: () => shell,
  path: '/queues',
  validateSearch: search('queue'),
  loader: () => void client.prefetchInfiniteQuery(queries.queues()),
  component: lazyRouteComponent(() => import('./pages/queues/list')),
})

const configuration = createRoute({
  getParentRoute: () => shell,
  path: '/configuration',
  validateSearch: search('tab', 'manager', 'managed'),
  component: lazyRouteComponent(() => import('./pages/configuration/page')),
})

const files = createRoute({
  getParentRoute: () => shell,
  path: '/files',
  validateSearch: filesSearch,
  loaderDeps: ({ search: { panel: _, ...filters } }) => filters,
  loader: ({ deps }) => void client.prefetchInfiniteQuery(queries.collections(deps)),
  component: lazyRouteComponent(() => import('./pages/files/list')),
})

const collection = createRoute({
  getParentRoute: () => shell,
  path: '/files/$collection',
  validateSearch: search('tab', 'q', 'prefix', 'tags', 'visibility', 'panel'),
  loader: ({ params }) => void client.prefetchQuery(queries.collection(params.collection)),
  component: lazyRouteComponent(() => import('./pages/files/collection')),
})

const file = createRoute({
  getParentRoute: () => shell,
  path: '/files/$collection/files/$',
  validateSearch: search('tab', 'panel'),
  loader: ({ params }) => void client.prefetchQuery(queries.file(params.collection, params._splat ?? '')),
  component: lazyRouteComponent(() => import('./pages/files/file')),
})

const audit = createRoute({
  getParentRoute: () => shell,
  path: '/audit',
  validateSearch: search('q', 'kind', 'outcome', 'severity', 'actor', 'target', 'run', 'from', 'to', 'live'),
  component: lazyRouteComponent(() => import('./pages/audit/list')),
})

const fact = createRoute({
  getParentRoute: () => shell,
  path: '/audit/$fact',
  loader: ({ params }) => void client.prefetchQuery(queries.fact(params.fact)),
  component: lazyRouteComponent(() => import('./pages/audit/detail')),
})

const org = createRoute({
  getParentRoute: () => shell,
  path: '/org',
  validateSearch: search('tab', 'panel'),
  loader: () => void client.prefetchQuery(queries.org()),
  component: lazyRouteComponent(() => import('./pages/orgs/detail'), 'OwnOrg'),
})

const orgs = createRoute({
  getParentRoute: () => shell,
  path: '/orgs',
  validateSearch: orgsSearch,
  loaderDeps: ({ search: { panel: _, ...filters } }) => filters,
  loader: ({ deps }) => void client.prefetchInfiniteQuery(queries.orgs(deps)),
  component: lazyRouteComponent(() => import('./pages/orgs/list')),
})

const orgOf = createRoute({
  getParentRoute: () => shell,
  path: '/orgs/$org',
  validateSearch: search('tab', 'panel'),
  loader: ({ params }) => void client.prefetchQuery(queries.org(params.org)),
  component: lazyRouteComponent(() => import('./pages/orgs/detail'), 'AnyOrg'),
})

const members = createRoute({
  getParentRoute: () => shell,
  path: '/members',
  validateSearch: membersSearch,
  loaderDeps: ({ search: { panel: _, tab: __, ...filters } }) => filters,
  loader: ({ deps }) => void client.prefetchInfiniteQuery(queries.members(deps)),
  component: lazyRouteComponent(() => import('./pages/people/list')),
})

const member = createRoute({
  getParentRoute: () => shell,
  path: '/members/$user',
  validateSearch: search('tab', 'panel'),
  loader: ({ params }) => void client.prefetchQuery(queries.member(params.user)),
  component: lazyRouteComponent(() => import('./pages/people/detail')),
})

const importPeople = createRoute({
  getParentRoute: () => shell,
  path: '/members/import',
  component: lazyRouteComponent(() => import('./pages/people/import')),
})

const invitation = createRoute({
  getParentRoute: () => root,
  path: '/invitation',
  component: lazyRouteComponent(() => import('./pages/people/invitation')),
})

const groups = createRoute({
  getParentRoute: () => shell,
  path: '/groups',
  validateSearch: groupsSearch,
  loaderDeps: ({ search: { panel: _, ...filters } }) => filters,
  loader: ({ deps }) => void client.prefetchInfiniteQuery(queries.groups(deps)),
  component: lazyRouteComponent(() => import('./pages/groups/list')),
})

const group = createRoute({
  getParentRoute: () => shell,
  path: '/groups/$group',
  validateSearch: search('tab', 'panel'),
  loader: ({ params }) => void client.prefetchQuery(queries.group(params.group)),
  component: lazyRouteComponent(() => import('./pages/groups/detail')),
})

const roles = createRoute({
  getParentRoute: () => shell,
  path: '/roles',
  validateSearch: rolesSearch,
  loader: () => void client.prefetchInfiniteQuery(queries.roles()),
  component: lazyRouteComponent(() => import('./pages/roles/list')),
})

const newRole = createRoute({
  getParentRoute: () => shell,
  path: '/roles/new',
  loader: () => void client.prefetchQuery(queries.catalogue()),
  component: lazyRouteComponent(() => import('./pages/roles/create')),
})

const role = createRoute({
  getParentRoute: () => shell,
  path: '/roles/$role',
  validateSearch: search('tab', 'panel'),
  loader: ({ params }) => void client.prefetchQuery(queries.role(params.role)),
  component: lazyRouteComponent(() => import('./pages/roles/detail')),
})

const apiKeys = createRoute({
  getParentRoute: () => shell,
  path: '/api-keys',
  validateSearch: apiKeysSearch,
  loaderDeps: ({ search: { panel: _, ...filters } }) => filters,
  loader: ({ deps }) => void client.prefetchInfiniteQuery(queries.apiKeys(deps)),
  component: lazyRouteComponent(() => import('./pages/keys/list'), 'OrgKeys'),
})

const myApiKeys = createRoute({
  getParentRoute: () => shell,
  path: '/account/api-keys',
  validateSearch: apiKeysSearch,
  component: lazyRouteComponent(() => import('./pages/keys/list'), 'OwnKeys'),
})

const sessions = createRoute({
  getParentRoute: () => shell,
  path: '/account/sessions',
  loader: () => void client.prefetchInfiniteQuery(queries.sessions()),
  component: lazyRouteComponent(() => import('./pages/account/sessions')),
})

const providers = createRoute({
  getParentRoute: () => shell,
  path: '/providers',
  validateSearch: providersSearch,
  loaderDeps: ({ search: { tab } }) => ({ tab }),
  loader: ({ deps }) => void client.prefetchInfiniteQuery(queries.authProviders(deps.tab === 'instance')),
  component: lazyRouteComponent(() => import('./pages/providers/list')),
})

const provider = createRoute({
  getParentRoute: () => shell,
  path: '/providers/$provider',
  validateSearch: search('panel'),
  loader: ({ params }) => void client.prefetchQuery(queries.authProvider(params.provider)),
  component: lazyRouteComponent(() => import('./pages/providers/detail')),
})

const policies = createRoute({
  getParentRoute: () => shell,
  path: '/policies',
  validateSearch: search('tab'),
  loader: () => void client.prefetchInfiniteQuery(queries.policies()),
  component: lazyRouteComponent(() => import('./pages/policies/list')),
})

const newPolicy = createRoute({
  getParentRoute: () => shell,
  path: '/policies/new',
  validateSearch: search('from'),
  component: lazyRouteComponent(() => import('./pages/policies/create')),
})

const policy = createRoute({
  getParentRoute: () => shell,
  path: '/policies/$policy',
  validateSearch: search('tab', 'panel'),
  loader: ({ params }) => void client.prefetchQuery(queries.policy(params.policy)),
  component: lazyRouteComponent(() => import('./pages/policies/detail')),
})

const access = createRoute({
  getParentRoute: () => shell,
  path: '/access',
  validateSearch: search('permission'),
  component: lazyRouteComponent(() => import('./pages/policies/access')),
})

const security = createRoute({
  getParentRoute: () => shell,
  path: '/account/security',
  loader: () => void client.prefetchQuery(queries.factors()),
  component: lazyRouteComponent(() => import('./pages/account/security')),
})

// Everything else, shown within the shell so that there is a way on.
const nowhere = createRoute({ getParentRoute: () => shell, path: '$', component: NotFound })

export const router = createRouter({
  routeTree: root.addChildren([
    welcome,
    invitation,
    signIn,
    secondFactor,
    reset,
    gate.addChildren([device, authorize]),
    shell.addChildren([
      home,
      agents,
      agent,
      functions,
      newFunction,
      fn,
      runs,
      run,
      schedules,
      newSchedule,
      schedule,
      hooks,
      hook,
      secrets,
      secret,
      state,
      namespace,
      entry,
      configuration,
      queues,
      packages,
      files,
      collection,
      file,
      audit,
      fact,
      members,
      importPeople,
      member,
      groups,
      group,
      roles,
      newRole,
      role,
      apiKeys,
      myApiKeys,
      org,
      orgs,
      orgOf,
      sessions,
      security,
      providers,
      provider,
      policies,
      newPolicy,
      policy,
      access,
      nowhere,
    ]),
  ]),
  basepath: '/console',
  defaultPreload: 'intent',
  // Plain texts in the address: `?status=active`, never JSON.
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (values) => {
    const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== '')
    const text = new URLSearchParams(given as [string, string][]).toString()
    return text && `?${text}`
  },
  defaultErrorComponent: ({ error, reset }) => <Failure error={error} onRetry={reset} />,
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
