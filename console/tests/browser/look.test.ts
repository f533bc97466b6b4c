/**
 * Every page in both themes, wide and on a phone: axe finds nothing serious, nothing runs out of the page sideways.
 * With SCREENSHOTS=<directory> each is also kept as a picture.
 */

import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { serious } from '../axe'
import { signIn, startBrowser, type Visit, visit } from '../browser'
import { furnish, type Known } from '../furnish'
import { keepPicture } from '../picture'
import { type Server, startServer } from '../server'

let server: Server
let browser: Browser
let known: Known
let policy: string
const provider: Record<string, string> = {}

const rules = {
  description: 'Production stays',
  bundle: {
    modules: [
      {
        path: 'agents.rego',
        text: 'package safeconduct.agents\n\n# Nobody changes production.\ndeny contains "production stays" if {\n\tinput.operation == "agents.update"\n\tinput.resource.namespace == "prod"\n}\n',
      },
    ],
  },
}

/** One of each kind; nobody listens where the foreign ones point to, which is found out only when somebody goes there. */
const providers = [
  { kind: 'otp', display_name: 'Code by e-mail' },
  { kind: 'password', display_name: 'Password' },
  { kind: 'passkey', display_name: 'Passkey' },
  {
    kind: 'oidc',
    display_name: 'Acme',
    settings: { issuer: 'http://127.0.0.1:9', client_id: 'safeconduct', client_secret: 'hush' },
  },
  {
    name: 'staff',
    kind: 'ldap',
    display_name: 'Directory',
    create_users: true,
    default_roles: ['member'],
    allowed_domains: ['example.com'],
    group_roles: {
      'cn=platform,ou=groups,dc=example,dc=com': ['admin'],
      'night shift': ['auditor', 'viewer'],
    },
    settings: {
      url: 'ldap://127.0.0.1:9',
      start_tls: false,
      base: 'dc=example,dc=com',
      bind_dn: 'uid=service,dc=example,dc=com',
      bind_password: 'hush',
      group_attribute: 'memberOf',
    },
  },
]

beforeAll(async () => {
  server = await startServer({ Mia: 'member', Olga: 'operator,auditor' })
  browser = await startBrowser()
  known = await furnish(server)
  policy = (await server.api<{ id: string }>('POST', '/api/v1/policies', rules)).id
  for (const body of providers) {
    const made = { name: body.kind, instance: true, ...body }
    provider[body.kind] = (await server.api<{ id: string }>('POST', '/api/v1/auth-providers', made)).id
  }
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

interface Place {
  name: string
  path: () => string
  /** What is on the page once it is whole. */
  ready: (page: Page) => Promise<unknown>
  signedOut?: boolean
}

const heading = (name: string | RegExp) => (page: Page) =>
  page.getByRole('heading', { name, level: 1 }).waitFor()
const text = (words: string) => (page: Page) => page.getByText(words).first().waitFor()
const row = (words: string) => (page: Page) =>
  page.getByRole('row').filter({ hasText: words }).first().waitFor()
const article = (name: string) => (page: Page) => page.getByRole('article', { name, exact: true }).waitFor()
/** The first step of a kind, which the sign-in page opens when it is asked to. */
const way = (name: string, field: string) => async (page: Page) => {
  await page.getByRole('button', { name: `Sign in by ${name}`, exact: true }).click()
  await page.getByLabel(field, { exact: true }).waitFor()
}
const dialog = (page: Page) => page.getByRole('dialog').waitFor()

const places: Place[] = [
  { name: 'signed-out', path: () => '/console/', ready: heading('Sign in'), signedOut: true },
  { name: 'welcome', path: () => '/console/welcome#0', ready: heading('Welcome'), signedOut: true },
  { name: 'home', path: () => '/console/', ready: row('session.started') },
  { name: 'agents', path: () => '/console/agents', ready: row('ops:triage') },
  { name: 'agent-new', path: () => '/console/agents?panel=new', ready: dialog },
  { name: 'agent', path: () => `/console/agents/${known.agent}`, ready: heading('Triage') },
  {
    name: 'agent-credentials',
    path: () => `/console/agents/${known.agent}?tab=credentials`,
    ready: text('kubernetes'),
  },
  {
    name: 'agent-activity',
    path: () => `/console/agents/${known.agent}?tab=activity`,
    ready: row('agent.created'),
  },
  { name: 'agent-edit', path: () => `/console/agents/${known.agent}?panel=edit`, ready: dialog },
  { name: 'agent-runs', path: () => `/console/agents/${known.agent}?tab=runs`, ready: text('No runs yet') },
  {
    name: 'agent-decommission',
    path: () => `/console/agents/${known.agent}?panel=decommission`,
    ready: dialog,
  },
  { name: 'agent-kill', path: () => `/console/agents/${known.agent}?panel=kill`, ready: dialog },
  { name: 'functions', path: () => '/console/functions', ready: text('ops:availability') },
  { name: 'function-new', path: () => '/console/functions/new', ready: heading('Create function') },
  { name: 'function', path: () => `/console/functions/${known.fn}`, ready: heading('ops:availability') },
  {
    name: 'function-test',
    path: () => `/console/functions/${known.fn}?tab=test&run=${known.run}`,
    ready: text('Succeeded'),
  },
  {
    name: 'function-versions',
    path: () => `/console/functions/${known.fn}?tab=versions`,
    ready: row('v1'),
  },
  { name: 'runs', path: () => '/console/runs', ready: row('Succeeded') },
  { name: 'schedules-none', path: () => '/console/schedules', ready: text('No schedules yet') },
  { name: 'configuration', path: () => '/console/configuration', ready: heading('Configuration') },
  {
    name: 'configuration-exported',
    path: () => '/console/configuration?tab=export',
    ready: text('Download the file'),
  },
  {
    name: 'configuration-drift-none',
    path: () => '/console/configuration?tab=drift',
    ready: text('Nothing was changed by hand'),
  },
  { name: 'queues-none', path: () => '/console/queues', ready: text('No dead letters') },
  { name: 'run', path: () => `/console/runs/${known.run}`, ready: text('availability') },
  { name: 'run-log', path: () => `/console/runs/${known.run}?tab=log`, ready: text('checks') },
  {
    name: 'run-evidence',
    path: () => `/console/runs/${known.run}?tab=evidence`,
    ready: text('Computed in this browser'),
  },
  { name: 'hooks', path: () => '/console/hooks', ready: row('alerts') },
  { name: 'hook-new', path: () => '/console/hooks?panel=new', ready: dialog },
  { name: 'hook', path: () => `/console/hooks/${known.hook}`, ready: row('Refused') },
  {
    name: 'hook-settings',
    path: () => `/console/hooks/${known.hook}?tab=settings`,
    ready: text('Senders prove themselves by'),
  },
  { name: 'hook-edit', path: () => `/console/hooks/${known.hook}?panel=edit`, ready: dialog },
  { name: 'hook-try', path: () => `/console/hooks/${known.hook}?panel=try`, ready: dialog },
  { name: 'hook-rotate', path: () => `/console/hooks/${known.hook}?panel=rotate`, ready: dialog },
  { name: 'secrets', path: () => '/console/secrets', ready: row('PAGER_TOKEN') },
  { name: 'secrets-new', path: () => '/console/secrets?panel=new', ready: dialog },
  { name: 'secret', path: () => '/console/secrets/PAGER_TOKEN', ready: text('No live version names it.') },
  { name: 'secret-replace', path: () => '/console/secrets/PAGER_TOKEN?panel=replace', ready: dialog },
  { name: 'state', path: () => '/console/state', ready: row('incidents') },
  { name: 'state-new', path: () => '/console/state?panel=new', ready: dialog },
  { name: 'state-namespace', path: () => '/console/state/incidents', ready: row('2026/17') },
  {
    name: 'state-settings',
    path: () => '/console/state/incidents?tab=settings',
    ready: text('Schema of values'),
  },
  { name: 'state-put', path: () => '/console/state/incidents?panel=new', ready: dialog },
  { name: 'state-entry', path: () => '/console/state/incidents/entries/2026/17', ready: text('Relevance') },
  {
    name: 'state-history',
    path: () => '/console/state/incidents/entries/2026/17?tab=history',
    ready: row('open'),
  },
  { name: 'state-secret', path: () => '/console/state/tokens/entries/pager', ready: text('Show the value') },
  { name: 'files', path: () => '/console/files', ready: row('reports') },
  { name: 'files-new', path: () => '/console/files?panel=new', ready: dialog },
  { name: 'files-collection', path: () => '/console/files/reports', ready: row('2026/monday.txt') },
  {
    name: 'files-settings',
    path: () => '/console/files/reports?tab=settings',
    ready: text('Schema of metadata'),
  },
  { name: 'files-upload', path: () => '/console/files/reports?panel=new', ready: dialog },
  {
    name: 'files-edit',
    path: () => '/console/files/reports/files/2026/monday.txt?panel=edit',
    ready: dialog,
  },
  { name: 'files-file', path: () => '/console/files/reports/files/2026/monday.txt', ready: text('SHA-256') },
  {
    name: 'files-versions',
    path: () => '/console/files/reports/files/2026/monday.txt?tab=versions',
    ready: text('present'),
  },
  {
    name: 'files-links',
    path: () => '/console/files/reports/files/2026/monday.txt?tab=links',
    ready: row('End the link'),
  },
  { name: 'audit', path: () => '/console/audit', ready: row('session.started') },
  { name: 'fact', path: () => `/console/audit/${known.fact}`, ready: text('Computed in this browser') },
  { name: 'sessions', path: () => '/console/account/sessions', ready: text('This browser') },
  {
    name: 'invited',
    path: () => '/console/invitation#0',
    ready: heading('You are invited'),
    signedOut: true,
  },
  { name: 'org', path: () => '/console/org', ready: text('Europe/Zurich') },
  { name: 'org-domains', path: () => '/console/org?tab=domains', ready: text('_safeconduct.example.com') },
  { name: 'org-edit', path: () => '/console/org?panel=edit', ready: dialog },
  { name: 'org-leaving', path: () => '/console/orgs/acme', ready: heading('Acme Research and Development') },
  { name: 'orgs', path: () => '/console/orgs', ready: row('acme') },
  { name: 'org-new', path: () => '/console/orgs?panel=new', ready: dialog },
  { name: 'members', path: () => '/console/members', ready: row('Mia') },
  { name: 'invitations', path: () => '/console/members?tab=invitations', ready: row('ada.lovelace') },
  { name: 'invite', path: () => '/console/members?panel=invite', ready: dialog },
  { name: 'import', path: () => '/console/members/import', ready: heading('Import people') },
  { name: 'member', path: () => `/console/members/${known.person}`, ready: heading('Mia') },
  {
    name: 'member-access',
    path: () => `/console/members/${known.person}?tab=access`,
    ready: row('releaser'),
  },
  { name: 'member-remove', path: () => `/console/members/${known.person}?panel=remove`, ready: dialog },
  { name: 'groups', path: () => '/console/groups', ready: row('Night shift') },
  { name: 'group', path: () => `/console/groups/${known.group}`, ready: row('Mia') },
  { name: 'group-edit', path: () => `/console/groups/${known.group}?panel=edit`, ready: dialog },
  { name: 'group-agents', path: () => `/console/groups/${known.group}?tab=agents`, ready: text('No agents') },
  { name: 'roles', path: () => '/console/roles', ready: row('releaser') },
  { name: 'grants', path: () => '/console/roles?tab=grants', ready: row('auditor') },
  { name: 'give', path: () => '/console/roles?panel=give', ready: dialog },
  { name: 'check', path: () => '/console/roles?tab=check', ready: text('The server decides') },
  { name: 'role', path: () => '/console/roles/releaser', ready: row('functions.execute') },
  { name: 'role-new', path: () => '/console/roles/new', ready: article('credentials') },
  { name: 'role-edit', path: () => '/console/roles/releaser?panel=edit', ready: row('functions.execute') },
  { name: 'api-keys', path: () => '/console/api-keys', ready: row('nightly report') },
  { name: 'api-key-new', path: () => '/console/api-keys?panel=new', ready: dialog },
  { name: 'my-api-keys', path: () => '/console/account/api-keys', ready: row('nightly report') },
  { name: 'sign-in', path: () => '/console/sign-in', ready: text('Sign in by Passkey'), signedOut: true },
  {
    name: 'sign-in-password',
    path: () => '/console/sign-in',
    ready: way('Password', 'Password'),
    signedOut: true,
  },
  {
    name: 'sign-in-directory',
    path: () => '/console/sign-in',
    ready: way('Directory', 'Password'),
    signedOut: true,
  },
  { name: 'reset', path: () => '/console/reset', ready: heading('New password'), signedOut: true },
  {
    name: 'reset-new',
    path: () => `/console/reset#${'0'.repeat(43)}`,
    ready: text('Show what I type'),
    signedOut: true,
  },
  {
    name: 'second-factor-page',
    path: () => `/console/second-factor#${'0'.repeat(43)}`,
    ready: heading('Second factor'),
    signedOut: true,
  },
  { name: 'device-code', path: () => '/console/device', ready: heading('Let a device in') },
  { name: 'security-none', path: () => '/console/account/security', ready: text('No further factor yet') },
  { name: 'providers', path: () => '/console/providers?tab=instance', ready: row('passkey') },
  {
    name: 'provider',
    path: () => `/console/providers/${provider.ldap}`,
    ready: heading('Directory'),
  },
  {
    name: 'provider-disable',
    path: () => `/console/providers/${provider.passkey}?panel=disable`,
    ready: dialog,
  },
  { name: 'policies', path: () => '/console/policies', ready: row('Version 1') },
  { name: 'policy', path: () => `/console/policies/${policy}`, ready: heading('Version 1') },
  { name: 'policy-activate', path: () => `/console/policies/${policy}?panel=activate`, ready: dialog },
  { name: 'policy-new', path: () => `/console/policies/new?from=${policy}`, ready: text('Keep version') },
  { name: 'simulator', path: () => '/console/policies?tab=simulate', ready: text('Ask') },
  { name: 'access-graph', path: () => '/console/access?permission=runs:read', ready: row('ops:triage') },
  {
    name: 'agent-advice',
    path: () => `/console/agents/${known.agent}?tab=advice`,
    ready: text('Granted but not used'),
  },
  {
    name: 'palette',
    path: () => '/console/',
    ready: async (page) => {
      await row('session.started')(page)
      await page.keyboard.press('Control+k')
      await page.getByRole('dialog').getByRole('option').first().waitFor()
    },
  },
  {
    name: 'account-menu',
    path: () => '/console/',
    ready: async (page) => {
      await row('session.started')(page)
      await page.getByRole('button', { name: /^Account of/ }).click()
      await page.getByRole('menu').waitFor()
    },
  },
  { name: 'not-found', path: () => '/console/nowhere', ready: heading('Not found') },
]

for (const theme of ['light', 'dark'] as const) {
  for (const width of [1440, 390]) {
    describe(`${theme} at ${width} px`, () => {
      let out: Visit
      let mine: Visit
      beforeAll(async () => {
        out = await visit(browser, server, { theme, width })
        mine = await visit(browser, server, { theme, width })
        await signIn(server, mine)
      })
      afterAll(async () => {
        await out?.context.close()
        await mine?.context.close()
      })

      test.each(places)('$name', async ({ name, path, ready, signedOut }) => {
        const { page } = signedOut ? out : mine
        await page.goto('about:blank')
        await page.goto(path())
        await ready(page)
        await page.evaluate(() => document.fonts.ready)
        await keepPicture(page, `${name}-${theme}-${width}`)
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
        expect(await serious(page)).toEqual([])
      })
    })
  }
}
