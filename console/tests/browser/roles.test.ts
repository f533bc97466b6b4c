/**
 * People with other roles than the owner's, each with a session of their own. What the console disables is held against
 * what the server says to that very person.
 */

import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { serious } from '../axe'
import { signInAs, startBrowser, type Visit, visit } from '../browser'
import { type Server, startServer } from '../server'

const enrolled = {
  Mia: 'member',
  Nora: '',
  Olga: 'operator',
  Eve: 'owner@elsewhere',
  Adam: 'admin',
  Cora: 'curator',
  Vera: 'viewer',
  Ada: 'auditor',
}

let server: Server
let browser: Browser
let mine: Visit
let page: Page
let agent: string
let fn: string
let group: string

beforeAll(async () => {
  server = await startServer(enrolled)
  browser = await startBrowser()
  const made = await server.api<{ id: string }>('POST', '/api/v1/agents', {
    namespace: 'ops',
    name: 'triage',
  })
  agent = made.id
  await server.api('POST', `/api/v1/agents/${agent}/credentials`, { kind: 'secret', label: 'pager' })
  const code = 'def handler(input, context):\n    return {"twice": input["n"] * 2}\n'
  fn = (
    await server.api<{ id: string }>('POST', '/api/v1/functions', { namespace: 'ops', name: 'double', code })
  ).id
  await server.api('POST', `/api/v1/functions/${fn}/execute`, { input: { n: 21 } })
  group = (await server.api<{ id: string }>('POST', '/api/v1/groups', { name: 'Night shift' })).id
  await server.api('POST', '/api/v1/state', { name: 'notes', default_visibility: 'organization' })
  await server.api('PUT', '/api/v1/state/notes/entries/shown/one', { value: 1 })
  await server.api('POST', '/api/v1/collections', { name: 'notes', default_visibility: 'organization' })
  await server.api('PUT', '/api/v1/collections/notes/files/shown/one', 'text')
  await server.api('POST', '/api/v1/roles', { name: 'keeper', permissions: ['agents:read:all'] })
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

function as(name: keyof typeof enrolled) {
  beforeEach(async () => {
    mine = await visit(browser, server)
    page = mine.page
    await signInAs(server, mine, server.people[name])
  })
  afterEach(async () => {
    expect(mine.complaints).toEqual([])
    await mine.context.close()
  })
}

const button = (name: string | RegExp) => page.getByRole('button', { name, exact: true }).first()

/** The control says which permission is missing, does nothing, and the server refuses the same person for the same. */
async function forbidden(name: string, permission: string, method: string, path: string, body: unknown = {}) {
  await expect
    .poll(() => button(name).getAttribute('data-tip'), { message: name })
    .toBe(`You need the permission ${permission}.`)
  expect(await button(name).getAttribute('aria-disabled'), name).toBe('true')
  await button(name).press('Enter')
  expect(await page.getByRole('dialog').count(), name).toBe(0)
  expect(await said(method, path, body), name).toEqual([403, 'permission_denied'])
}

/** The same for what stands in the overflow menu. */
async function forbiddenInMenu(name: string, permission: string, path: string) {
  await button('More actions').click()
  const item = page.getByRole('menuitem', { name })
  await item.getByText(`You need the permission ${permission}.`).waitFor()
  expect(await item.getAttribute('aria-disabled'), name).toBe('true')
  await item.press('Enter')
  expect(await page.getByRole('dialog').count(), name).toBe(0)
  await page.keyboard.press('Escape')
  expect(await said('DELETE', path, {}), name).toEqual([403, 'permission_denied'])
}

/** What the server answers to this person, asked from their page with their cookie. */
function said(method: string, path: string, body: unknown) {
  return page.evaluate(
    async ([method, path, body]) => {
      const answer = await fetch(path, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(method !== 'GET' && method !== 'DELETE' && { body }),
      })
      return [answer.status, (await answer.json()).code]
    },
    [method, path, JSON.stringify(body)] as const,
  )
}

describe('a member', () => {
  as('Mia')

  test('sees the agent of somebody else and may not touch it', async () => {
    await page.goto(`/console/agents/${agent}`)
    await page.getByRole('heading', { name: 'triage', level: 1 }).waitFor()
    const at = `/api/v1/agents/${agent}`
    await forbidden('Edit', 'agents:update:all', 'PATCH', at, { description: 'mine now' })
    await forbidden('Suspend', 'agents:update:all', 'POST', `${at}/suspend`)
    await forbidden('Kill', 'agents:update:all', 'POST', `${at}/kill`)
    await forbiddenInMenu('Decommission', 'agents:delete', at)
    await page.goto(`/console/agents/${agent}?tab=credentials`)
    const credential = { kind: 'secret', label: 'mine' }
    const tip = () => button('Create credential').getAttribute('data-tip')
    await expect.poll(tip).toBe('You need the permission credentials:create:all.')
    await button('Create credential').press('Enter')
    expect(await page.getByRole('dialog').count()).toBe(0)
    // Credentials of others are not even visible.
    expect(await said('POST', `${at}/credentials`, credential)).toEqual([404, 'not_found'])
    expect(await server.api('GET', at)).toMatchObject({ status: 'active', description: '', revision: 1 })
    expect(await serious(page)).toEqual([])
  })

  test('sees what is shown of the state and may not change it', async () => {
    await page.goto('/console/state/notes')
    await page.getByRole('link', { name: 'shown/one' }).waitFor()
    const at = '/api/v1/state/notes'
    await forbidden('Put an entry', 'state:write', 'POST', `${at}/increment/shown/one`)
    await forbidden('Edit', 'state:update', 'PATCH', at, { description: 'mine now' })
    await forbiddenInMenu('Remove', 'state:delete', at)
    await page.goto('/console/state/notes/entries/shown/one')
    await page.getByRole('heading', { name: 'shown/one', level: 1 }).waitFor()
    await forbidden('Remove', 'state:delete', 'DELETE', `${at}/entries/shown/one`)
    expect(await server.api('GET', `${at}/entries/shown/one`)).toMatchObject({ value: 1, revision: 1 })
  })

  test('sees what is shown of the files and may not change it', async () => {
    await page.goto('/console/files/notes')
    await page.getByRole('link', { name: 'shown/one' }).waitFor()
    const at = '/api/v1/collections/notes'
    await forbidden('Upload a file', 'files:write', 'POST', `${at}/uploads`, { name: 'mine', size: 1 })
    await forbidden('Edit', 'files:update', 'PATCH', at, { description: 'mine now' })
    await forbiddenInMenu('Remove', 'files:delete', at)
    await page.goto('/console/files/notes/files/shown/one')
    await page.getByRole('heading', { name: 'shown/one', level: 1 }).waitFor()
    await forbidden('Make a link', 'files:update', 'POST', `${at}/links/shown/one`, { expires_in: 60 })
    await forbiddenInMenu('Remove', 'files:delete', `${at}/files/shown/one`)
    expect(await server.api('GET', `${at}/files/shown/one`)).toMatchObject({ number: 1 })
  })

  test('registers an agent, changes it, gives it a credential, kills it, and may not retire it', async () => {
    await page.goto('/console/agents?panel=new')
    const panel = page.getByRole('dialog', { name: 'Register agent' })
    await panel.getByLabel('Name', { exact: true }).fill('mias')
    await panel.getByRole('button', { name: 'Register agent' }).click()
    await page.getByRole('heading', { name: 'mias', level: 1 }).waitFor()
    const id = page.url().split('/').at(-1) ?? ''
    expect(await server.api('GET', `/api/v1/agents/${id}`)).toMatchObject({
      owner: { id: server.people.Mia?.id },
    })

    await button('Edit').click()
    const form = page.getByRole('dialog', { name: 'Edit mias' })
    await form.getByLabel('Description').fill('Works for Mia.')
    await form.getByRole('button', { name: 'Save changes' }).click()
    await form.waitFor({ state: 'detached' })
    await page.getByText('Works for Mia.').waitFor()

    await page.getByRole('link', { name: 'Credentials' }).click()
    await button('Create credential').click()
    await page.getByRole('dialog').getByLabel('Label').fill('laptop')
    await page.getByRole('dialog').getByRole('button', { name: 'Create credential' }).click()
    await page.getByRole('button', { name: 'I have kept it' }).click()

    await forbiddenInMenu('Decommission', 'agents:delete', `/api/v1/agents/${id}`)
    await button('Kill').click()
    await page.getByRole('dialog').getByLabel(/^Type/).fill('default:mias')
    await page.getByRole('dialog').getByRole('button', { name: 'Kill' }).click()
    await page.getByRole('dialog', { name: 'Receipt of the kill' }).getByText(/kil_/).waitFor()
    expect(await server.api('GET', `/api/v1/agents/${id}`)).toMatchObject({ status: 'suspended' })
  })

  test('cannot give what it does not hold, and is told so', async () => {
    await page.goto('/console/agents?panel=new')
    const panel = page.getByRole('dialog', { name: 'Register agent' })
    await panel.getByLabel('Name', { exact: true }).fill('greedy')
    await panel.getByLabel('Permissions').fill('agents:delete:all')
    await panel.getByRole('button', { name: 'Register agent' }).click()
    await panel
      .getByRole('alert')
      .getByText('You can only give what you hold yourself', { exact: false })
      .waitFor()
  })

  test('may not run or change the function of somebody else, and works with its own', async () => {
    const at = `/api/v1/functions/${fn}`
    await page.goto(`/console/functions/${fn}`)
    const code = 'def handler(input, context):\n    return 1\n'
    await forbidden('Publish a new version', 'functions:update:all', 'POST', `${at}/versions`, { code })
    await forbiddenInMenu('Delete', 'functions:delete', at)
    await page.goto(`/console/functions/${fn}?tab=test`)
    await forbidden('Run', 'functions:execute:all', 'POST', `${at}/execute`, { input: { n: 1 } })

    await page.goto('/console/functions/new')
    await page.getByLabel('Namespace').fill('mia')
    await page.getByLabel('Name', { exact: true }).fill('double')
    await button('Create function').click()
    await page.getByRole('heading', { name: 'mia:double', level: 1 }).waitFor()
    await page.getByRole('textbox', { name: 'Input' }).fill('{"n": 4}')
    await button('Run').click()
    await page.getByRole('region', { name: 'Output' }).getByText('"twice": 8').waitFor()

    // Runs are narrowed to its own; so is the ledger, which proves them all the same.
    await page.goto('/console/runs')
    await page.getByRole('row').filter({ hasText: 'mia:double' }).waitFor()
    expect(await page.getByRole('row').filter({ hasText: 'ops:double' }).count()).toBe(0)
    await page.locator('a.row-link').first().click()
    await page.getByRole('link', { name: 'Evidence' }).click()
    await page.getByText('Computed in this browser from the bytes below.').waitFor()
    await page.goto('/console/audit')
    await page.getByRole('link', { name: 'function.created' }).waitFor()
    await page.goto('/console/audit?kind=session.started')
    await page.getByRole('row').filter({ hasText: 'Mia' }).first().waitFor()
    expect(await page.getByRole('row').filter({ hasText: 'Owner' }).count()).toBe(0)
  })

  test('finds its own session only, and a first page without trouble', async () => {
    await page.goto('/console/account/sessions')
    await page.getByText('This browser').waitFor()
    expect(await page.getByRole('row').filter({ hasText: 'ses_' }).count()).toBe(1)
    await page.goto('/console/')
    await page.getByRole('row').filter({ hasText: 'session.started' }).waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
    expect(await serious(page)).toEqual([])
  })
})

describe('a member among people and access', () => {
  as('Mia')

  test('reads, and is told what it may not change', async () => {
    const id = server.people.Mia?.id
    await page.goto('/console/org')
    await page.getByRole('heading', { name: 'Home', level: 1 }).waitFor()
    await forbidden('Edit', 'orgs:update', 'PATCH', '/api/v1/orgs/home', { name: 'Mine' })
    await page.goto('/console/members')
    await forbidden('Invite', 'members:create', 'POST', '/api/v1/invitations', { email: 'a@example.org' })
    await forbidden('Create person', 'users:create', 'POST', '/api/v1/users', {
      email: 'a@example.org',
      display_name: 'A',
    })
    expect(await said('PATCH', `/api/v1/members/${id}`, { roles: ['owner'] })).toEqual([
      403,
      'permission_denied',
    ])
    await page.goto(`/console/groups/${group}`)
    await forbidden('Edit', 'groups:update', 'PATCH', `/api/v1/groups/${group}`, { name: 'Mine' })
    await forbidden('Add member', 'groups:update', 'POST', `/api/v1/groups/${group}/members`, { member: id })
    await page.goto('/console/roles')
    await forbidden('Create role', 'roles:create', 'POST', '/api/v1/roles', { name: 'x', permissions: [] })
    await forbidden('Give', 'roles:grant', 'POST', '/api/v1/grants', { principal: id, role: 'owner' })
    expect(await server.api('GET', `/api/v1/members/${id}`)).toMatchObject({ roles: ['member'] })
    expect(await serious(page)).toEqual([])
  })

  test('lists the one organization that is its own', async () => {
    await page.goto('/console/orgs')
    await page.getByRole('row').filter({ hasText: 'home' }).waitFor()
    expect(await page.getByRole('row').filter({ hasText: 'elsewhere' }).count()).toBe(0)
    await forbidden('Found organization', 'system:orgs', 'POST', '/api/v1/orgs', {
      slug: 'mine',
      name: 'Mine',
    })
  })
})

describe.each([['Nora'], ['Olga']] as const)('%s, who has no right in the organization', (name) => {
  as(name)

  test('is told on each place which permission is missing', async () => {
    for (const [place, permission] of [
      ['agents', 'agents:read'],
      ['functions', 'functions:read'],
      ['runs', 'runs:read'],
      ['queues', 'runs:read'],
      ['secrets', 'secrets:read'],
      ['audit', 'audit:read'],
      ['org', 'orgs:read'],
      ['members', 'members:read'],
      ['groups', 'groups:read'],
      ['roles', 'roles:read'],
      ['roles?tab=grants', 'roles:read'],
      ['api-keys', 'api_keys:read'],
    ]) {
      await page.goto(`/console/${place}`)
      const alert = page.getByRole('alert')
      await alert.getByText(permission ?? '', { exact: false }).waitFor()
      await alert.getByText(/req_/).waitFor()
      expect(await serious(page), place).toEqual([])
    }
    await page.goto(`/console/agents/${agent}`)
    await page.getByRole('alert').getByText('agents:read', { exact: false }).waitFor()
  })

  test('may make nothing', async () => {
    await page.goto('/console/agents')
    await forbidden('Register agent', 'agents:create', 'POST', '/api/v1/agents', { name: 'mine' })
    await page.goto('/console/functions')
    const code = 'def handler(input, context):\n    return 1\n'
    const body = { name: 'mine', code }
    await forbidden('Create function', 'functions:create', 'POST', '/api/v1/functions', body)
  })

  test('still has an account and a way out', async () => {
    await page.goto('/console/account/sessions')
    await page.getByText('This browser').waitFor()
    await page.goto('/console/')
    await page.getByRole('heading', { name: 'Home', level: 1 }).waitFor()
    await page.getByRole('button', { name: `Account of ${name}` }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    // The next test of this person begins signed out; nothing of the server's is left in the page.
    expect(await page.evaluate(() => Object.keys(localStorage))).toEqual([])
  })
})

describe.each([['Adam'], ['Cora'], ['Vera'], ['Ada']] as const)('%s, with a role between', (name) => {
  as(name)

  test('finds disabled what the server refuses, and nothing else', async () => {
    const code = 'def handler(input, context):\n    return 1\n'
    const [at, of] = [`/api/v1/agents/${agent}`, `/api/v1/functions/${fn}`]
    const [lower, mia] = [name.toLowerCase(), server.people.Mia?.id]
    for (const [place, control, method, path, body] of [
      ['/console/agents', 'Register agent', 'POST', '/api/v1/agents', { name: name.toLowerCase() }],
      [`/console/agents/${agent}`, 'Edit', 'PATCH', at, { description: `by ${name}` }],
      [`/console/agents/${agent}`, 'Suspend', 'POST', `${at}/suspend`, {}],
      ['/console/functions', 'Create function', 'POST', '/api/v1/functions', { name, code }],
      [`/console/functions/${fn}`, 'Publish a new version', 'POST', `${of}/versions`, { code }],
      [`/console/functions/${fn}?tab=test`, 'Run', 'POST', `${of}/execute`, { input: { n: 1 } }],
      ['/console/org', 'Edit', 'PATCH', '/api/v1/orgs/home', { name: 'Home' }],
      ['/console/org?tab=domains', 'Claim domain', 'POST', '/api/v1/domains', { name: `${lower}.example` }],
      ['/console/orgs', 'Found organization', 'POST', '/api/v1/orgs', { slug: `${lower}s`, name }],
      ['/console/members', 'Invite', 'POST', '/api/v1/invitations', { email: `${lower}s@example.org` }],
      [`/console/members/${mia}`, 'Change roles', 'PATCH', `/api/v1/members/${mia}`, { roles: ['member'] }],
      ['/console/groups', 'Create group', 'POST', '/api/v1/groups', { name }],
      [`/console/groups/${group}`, 'Edit', 'PATCH', `/api/v1/groups/${group}`, { description: `by ${name}` }],
      [
        `/console/groups/${group}`,
        'Add member',
        'POST',
        `/api/v1/groups/${group}/members`,
        { member: agent },
      ],
      ['/console/roles', 'Create role', 'POST', '/api/v1/roles', { name: lower, permissions: [] }],
      ['/console/roles', 'Give', 'POST', '/api/v1/grants', { principal: mia, permission: 'agents:read:all' }],
      ['/console/roles/keeper', 'Edit', 'PATCH', '/api/v1/roles/keeper', { description: `by ${name}` }],
      [
        '/console/api-keys',
        'Create API key',
        'POST',
        '/api/v1/api-keys',
        { name, permissions: ['agents:read'] },
      ],
    ] as const) {
      const asked = page.waitForResponse('**/api/v1/permissions/check')
      await page.goto(place)
      const trouble = page.getByRole('alert')
      await button(control).or(trouble).first().waitFor()
      // Whoever may not read a thing is told so in its place.
      if ((await button(control).count()) === 0) {
        await trouble.getByText(':read', { exact: false }).waitFor()
        asked.catch(() => undefined)
        continue
      }
      await asked
      const [status] = await said(method, path, body)
      expect([200, 201, 403], `${control}: ${status}`).toContain(status)
      const disabled = async () => (await button(control).getAttribute('aria-disabled')) === 'true'
      await expect.poll(disabled, { message: `${name}: ${control}` }).toBe(status === 403)
      if (control === 'Suspend' && status === 200) await server.api('POST', `${at}/reactivate`)
    }
    expect(await serious(page)).toEqual([])
  })
})

describe('an owner of another organization', () => {
  as('Eve')

  test('finds nothing of this one', async () => {
    await page.goto('/console/agents')
    await page.getByText('No agents yet').waitFor()
    await page.getByText('elsewhere', { exact: true }).first().waitFor()
    for (const path of [
      `/console/agents/${agent}`,
      `/console/functions/${fn}`,
      `/console/groups/${group}`,
      '/console/roles/keeper',
      `/console/members/${server.people.Mia?.id}`,
      '/console/orgs/home',
    ]) {
      await page.goto(path)
      await page.getByRole('alert').getByText(/req_/).waitFor()
      expect(await page.getByText('triage').count()).toBe(0)
    }
    expect(await said('GET', `/api/v1/agents/${agent}`, {})).toEqual([404, 'not_found'])
    await page.goto('/console/audit?kind=agent.created')
    await page.getByText('Nothing matches these filters').waitFor()
  })
})
