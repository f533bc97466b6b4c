/** Every address of the console, built in one place. */

export const paths = {
  home: '/',
  agents: '/agents',
  agent: (id: string) => `/agents/${id}`,
  functions: '/functions',
  fn: (id: string) => `/functions/${id}`,
  runs: '/runs',
  run: (id: string) => `/runs/${id}`,
  schedules: '/schedules',
  newSchedule: '/schedules/new',
  schedule: (id: string) => `/schedules/${id}`,
  queues: '/queues',
  packages: '/packages',
  configuration: '/configuration',
  hooks: '/hooks',
  hook: (id: string) => `/hooks/${id}`,
  secrets: '/secrets',
  secret: (name: string) => `/secrets/${name}`,
  state: '/state',
  namespace: (name: string) => `/state/${name}`,
  entry: (namespace: string, key: string) => `/state/${namespace}/entries/${inPath(key)}`,
  files: '/files',
  collection: (name: string) => `/files/${name}`,
  file: (collection: string, name: string) => `/files/${collection}/files/${inPath(name)}`,
  audit: '/audit',
  fact: (id: string) => `/audit/${id}`,
  providers: '/providers',
  provider: (id: string) => `/providers/${id}`,
  policies: '/policies',
  policy: (id: string) => `/policies/${id}`,
  newPolicy: '/policies/new',
  access: '/access',
  sessions: '/account/sessions',
  org: '/org',
  orgs: '/orgs',
  members: '/members',
  member: (id: string) => `/members/${id}`,
  importPeople: '/members/import',
  groups: '/groups',
  group: (id: string) => `/groups/${id}`,
  roles: '/roles',
  newRole: '/roles/new',
  role: (name: string) => `/roles/${name}`,
  apiKeys: '/api-keys',
  myApiKeys: '/account/api-keys',
  orgOf: (id: string) => `/orgs/${id}`,
  security: '/account/security',
  signIn: '/sign-in',
} as const

/** Slashes of a key are slashes of the address. */
export function inPath(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/')
}

const byPrefix: Record<string, (id: string) => string> = {
  agt: paths.agent,
  fn: paths.fn,
  run: paths.run,
  evt: paths.fact,
  org: paths.orgOf,
  usr: paths.member,
  grp: paths.group,
  rol: paths.role,
  prv: paths.provider,
  pol: paths.policy,
  stn: paths.namespace,
  sch: paths.schedule,
  col: paths.collection,
  hok: paths.hook,
}

/** Where the thing with this id is shown, if it has a page. */
export function placeOf(id: string): string | undefined {
  const prefix = /^([a-z]+)_[0-7][0-9a-hjkmnp-tv-z]{25}$/.exec(id)?.[1]
  return prefix === undefined ? undefined : byPrefix[prefix]?.(id)
}
