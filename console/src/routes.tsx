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
const functionsSearch = search('q')
const runsSearch = search('status', 'trigger', 'function', 'agent', 'principal')

const root = createRootRoute({ component: Outlet })

const welcome = createRoute({
  getParentRoute: () => root,
  path: '/welcome',
  component: lazyRouteComponent(() => import('./pages/welcome')),
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

const sessions = createRoute({
  getParentRoute: () => shell,
  path: '/account/sessions',
  loader: () => void client.prefetchInfiniteQuery(queries.sessions()),
  component: lazyRouteComponent(() => import('./pages/account/sessions')),
})

// Everything else, shown within the shell so that there is a way on.
const nowhere = createRoute({ getParentRoute: () => shell, path: '$', component: NotFound })

export const router = createRouter({
  routeTree: root.addChildren([
    welcome,
    shell.addChildren([
      home,
      agents,
      agent,
      functions,
      newFunction,
      fn,
      runs,
      run,
      audit,
      fact,
      sessions,
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
