import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signIn, startBrowser, type Visit, visit } from '../browser'
import { type Server, startServer } from '../server'

let server: Server
let browser: Browser
let mine: Visit
let page: Page
let mia: string
let agent: string
beforeAll(async () => {
  server = await startServer({ Mia: 'member', Nora: '' })
  browser = await startBrowser()
  mine = await visit(browser, server)
  page = mine.page
  await signIn(server, mine)
  mia = server.people.Mia?.id ?? ''
  agent = (await server.api<{ id: string }>('POST', '/api/v1/agents', { namespace: 'ops', name: 'triage' }))
    .id
})
afterAll(async () => {
  expect(mine?.complaints).toEqual([])
  await browser?.close()
  await server?.stop()
})

const heading = (name: string) => page.getByRole('heading', { name, level: 1 }).waitFor()
const row = (words: string) => page.getByRole('row').filter({ hasText: words })
const held = async (id: string) =>
  (await server.api<{ permissions: string[] }>('GET', `/api/v1/permissions/of/${id}`)).permissions

test('a group is made, filled with people and agents, given a role and emptied', async () => {
  await page.goto('/console/groups')
  await page.getByText('No groups yet').waitFor()
  await page.getByRole('button', { name: 'Create group' }).click()
  const form = page.getByRole('dialog', { name: 'Create group' })
  await form.getByLabel('Name', { exact: true }).fill('Night shift')
  await form.getByLabel('E-mail domain').fill('example.com')
  await form.getByRole('button', { name: 'Create group' }).click()
  await form.getByRole('alert').getByText(/req_/).waitFor()
  await form.getByLabel('E-mail domain').fill('')
  await form.getByLabel('Description').fill('Awake when others sleep')
  await form.getByRole('button', { name: 'Create group' }).click()
  await heading('Night shift')
  await page.getByText('Nobody is in it yet').waitFor()
  const id = page.url().split('/').at(-1) ?? ''

  for (const [words, option] of [
    ['mia', /Mia/],
    ['triage', /ops:triage/],
  ] as const) {
    await page.getByRole('button', { name: 'Add member' }).click()
    const dialog = page.getByRole('dialog', { name: 'Add somebody to Night shift' })
    await dialog.getByRole('combobox', { name: 'Member' }).fill(words)
    await dialog.getByRole('option', { name: option }).click()
    await dialog.getByRole('button', { name: 'Add member' }).click()
    await dialog.waitFor({ state: 'detached' })
  }
  await row('Mia').waitFor()
  await row('triage').waitFor()

  await page.getByRole('main').getByRole('link', { name: 'Access' }).click()
  await page.getByRole('button', { name: 'Give', exact: true }).click()
  const giving = page.getByRole('dialog', { name: 'Give something to Night shift' })
  await giving.getByLabel('Role', { exact: true }).last().selectOption('auditor')
  await giving.getByRole('button', { name: 'Give' }).click()
  await giving.waitFor({ state: 'detached' })
  expect(await held(mia)).toContain('audit:read:all')
  await page.goto(`/console/members/${mia}?tab=access`)
  const through = row('auditor').filter({ hasText: 'through' })
  await through.getByText('audit:read:all').waitFor()
  await through.getByRole('link').click()
  await heading('Night shift')

  await page.getByRole('button', { name: 'Edit' }).click()
  const edit = page.getByRole('dialog', { name: 'Edit Night shift' })
  await edit.getByLabel('External id').fill('cn=night')
  await edit.getByRole('button', { name: 'Save changes' }).click()
  await edit.waitFor({ state: 'detached' })
  expect(await server.api('GET', `/api/v1/groups/${id}`)).toMatchObject({ external_group_id: 'cn=night' })

  await page.goto(`/console/groups/${id}`)
  await row('Mia').getByRole('button', { name: 'Take out' }).click()
  await page.getByRole('dialog', { name: 'Take Mia out?' }).getByRole('button', { name: 'Take out' }).click()
  await row('Mia').waitFor({ state: 'detached' })
  expect(await held(mia)).not.toContain('audit:read:all')
})

test('a group’s agents are seen, and while it owns one it stays', async () => {
  const { items } = await server.api<{ items: { id: string }[] }>('GET', '/api/v1/groups?q=night')
  const id = items[0]?.id ?? ''
  await server.api('PATCH', `/api/v1/agents/${agent}`, { owner: id, group: id, visibility: 'group' })
  await page.goto(`/console/groups/${id}?tab=agents`)
  await expect.poll(() => row('ops:triage').count()).toBe(2)
  await page.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Delete group' }).click()
  const dialog = page.getByRole('dialog', { name: 'Delete Night shift?' })
  await dialog.getByLabel(/^Type/).fill('Night shift')
  await dialog.getByRole('button', { name: 'Delete group' }).click()
  await dialog.getByRole('alert').getByText(/req_/).waitFor()
  const { items: owners } = await server.api<{ items: { user: string }[] }>(
    'GET',
    '/api/v1/members?role=owner',
  )
  await server.api('PATCH', `/api/v1/agents/${agent}`, {
    owner: owners[0]?.user,
    group: null,
    visibility: 'organization',
  })
  await dialog.getByRole('button', { name: 'Delete group' }).click()
  await page.getByText('No groups yet').waitFor()
})

test('a role is made from the catalogue, with a preview of what it opens', async () => {
  await page.goto('/console/roles')
  await row('owner').first().getByText('Built in').waitFor()
  await page.getByRole('button', { name: 'Create role' }).click()
  await heading('Create role')
  await page.getByLabel('Name', { exact: true }).fill('releaser')
  await page.getByLabel('Description').fill('Brings releases out')
  const editor = page.getByRole('region', { name: 'Permissions' }).first()
  await editor.getByRole('searchbox', { name: 'Search permissions' }).fill('functions')
  const functions = editor.getByRole('article', { name: 'functions', exact: true })
  await functions.getByRole('checkbox', { name: 'functions:execute' }).check()
  await functions.getByLabel('Objects of functions').fill('release/*')
  await editor.getByRole('searchbox', { name: 'Search permissions' }).fill('runs')
  const runs = editor.getByRole('article', { name: 'runs', exact: true })
  await runs.getByRole('checkbox', { name: 'runs:read' }).check()
  await runs.getByLabel('Reach of runs').selectOption('own')
  expect(await editor.getByRole('article', { name: 'functions', exact: true }).count()).toBe(0)

  const opens = page.getByRole('table', { name: 'What this opens' })
  await opens
    .getByRole('row')
    .filter({ hasText: 'functions.execute' })
    .getByText('only what is named')
    .waitFor()
  await opens.getByRole('row').filter({ hasText: 'runs.list' }).getByText('own', { exact: true }).waitFor()
  expect(await opens.getByRole('row').filter({ hasText: 'agents.create' }).count()).toBe(0)
  await page.getByRole('button', { name: 'Create role' }).click()
  await heading('releaser')
  expect(await server.api('GET', '/api/v1/roles/releaser')).toMatchObject({
    description: 'Brings releases out',
    permissions: ['functions/release/*:execute:all', 'runs:read:own'],
  })
})

test('a role is changed as text, what is no permission is told at once, and the reach of a line is its own', async () => {
  await page.goto('/console/roles/releaser')
  await page.getByRole('button', { name: 'Edit' }).click()
  await heading('Edit releaser')
  await page.getByText('As text').click()
  const area = page.getByRole('textbox', { name: 'Permissions', exact: true })
  expect(await area.inputValue()).toBe('functions/release/*:execute:all\nruns:read:own')
  await area.fill('runs:read:own\nmartians:read')
  await page.getByRole('alert').getByText('martians', { exact: false }).waitFor()
  await area.fill('runs:read:own\nagents:write:own')
  await page
    .getByRole('table', { name: 'What this opens' })
    .getByText('agents.create', { exact: true })
    .waitFor()
  await page.getByRole('button', { name: 'Another line for runs' }).click()
  await page.getByRole('checkbox', { name: 'runs:update' }).nth(1).check()
  await page.getByLabel('Reach of runs').nth(1).selectOption('group')
  await page.getByRole('button', { name: 'Save changes' }).click()
  // The head of the form names the role as well, so it is the form's end that is awaited.
  await page.getByRole('button', { name: 'Save changes' }).waitFor({ state: 'detached' })
  await heading('releaser')
  const role = await server.api<{ permissions: string[] }>('GET', '/api/v1/roles/releaser')
  expect([...role.permissions].sort()).toEqual(['agents:write:own', 'runs:read:own', 'runs:update:group'])
})

test('a role is given, seen with its holders, and while somebody holds it it stays', async () => {
  await page.goto('/console/roles/releaser?panel=give')
  const giving = page.getByRole('dialog', { name: 'Give releaser' })
  await giving.getByRole('combobox', { name: 'To whom' }).fill('nora')
  await giving.getByRole('option', { name: /Nora/ }).click()
  await giving.getByRole('button', { name: 'Give' }).click()
  await giving.waitFor({ state: 'detached' })
  await page.getByRole('link', { name: 'Who was given it' }).click()
  await row('Nora').waitFor()
  await page.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Delete role' }).click()
  const dialog = page.getByRole('dialog', { name: 'Delete releaser?' })
  await dialog.getByLabel(/^Type/).fill('releaser')
  await dialog.getByRole('button', { name: 'Delete role' }).click()
  await dialog.getByRole('alert').getByText(/req_/).waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await row('Nora').getByRole('button', { name: 'Take away: releaser' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Take away' }).click()
  await page.getByText('Nothing was given here').waitFor()
  await page.goto('/console/roles/releaser?panel=delete')
  await page.getByRole('dialog').getByLabel(/^Type/).fill('releaser')
  await page.getByRole('dialog').getByRole('button', { name: 'Delete role' }).click()
  await heading('Roles')
  await row('curator').waitFor()
  expect(await row('releaser').count()).toBe(0)
})

test('built-in roles are shown whole and cannot be changed', async () => {
  await page.goto('/console/roles/member')
  await page
    .getByRole('table', { name: 'What this opens' })
    .getByText('agents.create', { exact: true })
    .waitFor()
  const edit = page.getByRole('button', { name: 'Edit' })
  expect(await edit.getAttribute('data-tip')).toBe(
    'Built-in roles mean the same everywhere and cannot be changed.',
  )
})

test('a single permission is given and taken in the list of grants', async () => {
  await page.goto('/console/roles?tab=grants')
  await page.getByRole('button', { name: 'Give', exact: true }).click()
  const giving = page.getByRole('dialog', { name: 'Give' })
  await giving.getByRole('radio', { name: 'Permission' }).check()
  await giving.getByRole('combobox', { name: 'To whom' }).fill(mia)
  await giving.getByRole('option').first().click()
  await giving.getByRole('textbox', { name: 'Permission' }).fill('martians:read')
  await giving.getByRole('button', { name: 'Give' }).click()
  await giving.getByRole('alert').getByText('martians', { exact: false }).waitFor()
  await giving.getByRole('textbox', { name: 'Permission' }).fill('agents/ops/*:kill:all')
  await giving.getByRole('textbox', { name: 'Permission' }).fill('agents/ops/*:update:all')
  await giving.getByRole('button', { name: 'Give' }).click()
  await giving.waitFor({ state: 'detached' })
  const given = row('agents/ops/*:update:all')
  await given.getByText('Mia').waitFor()
  await given.getByRole('button', { name: 'Take away: agents/ops/*:update:all' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Take away' }).click()
  await given.waitFor({ state: 'detached' })
  await page.getByRole('search').getByRole('combobox', { name: 'Role' }).selectOption('member')
  await row('Mia').waitFor()
})

test('the server is asked whether somebody may do something', async () => {
  await page.goto('/console/roles?tab=check')
  await page.getByRole('combobox', { name: 'Who', exact: true }).fill('mia')
  await page.getByRole('option', { name: /Mia/ }).click()
  await page.getByLabel('Resource').selectOption('agents')
  await page.getByLabel('Action').selectOption('update')
  await page.getByLabel('Which').fill('ops/triage')
  await page.getByRole('button', { name: 'Ask' }).click()
  await page.getByText('Denied', { exact: true }).waitFor()
  await page.getByRole('combobox', { name: /^Whose it is/ }).fill(mia)
  await page.getByRole('listbox', { name: 'Whose it is' }).getByRole('option').first().click()
  await page.getByRole('button', { name: 'Ask' }).click()
  await page.getByText('Allowed', { exact: true }).waitFor()
  await page.getByLabel('Action').selectOption('approve')
  await page.getByText('Allowed', { exact: true }).waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Ask' }).click()
  await page.getByText('Denied', { exact: true }).waitFor()
  await page.getByRole('link', { name: 'What Mia holds' }).click()
  await heading('Mia')
  await row('member').getByText('agents:read:all').first().waitFor()
})

test('an agent’s access is on its page', async () => {
  await server.api('POST', '/api/v1/grants', { principal: agent, permission: 'runs:read:all' })
  await page.goto(`/console/agents/${agent}?tab=access`)
  await expect.poll(() => row('runs:read:all').count()).toBe(2)
})

test('an API key is made, shown once, works, and is revoked', async () => {
  await page.goto('/console/api-keys')
  await page.getByText('No API keys').waitFor()
  await page.getByRole('button', { name: 'Create API key' }).click()
  const form = page.getByRole('dialog', { name: 'Create API key' })
  await form.getByLabel('Name', { exact: true }).fill('nightly')
  const create = form.getByRole('button', { name: 'Create API key' })
  expect(await create.getAttribute('aria-disabled')).toBe('true')
  await form.getByRole('searchbox', { name: 'Search permissions' }).fill('agents')
  await form.getByRole('checkbox', { name: 'agents:read', exact: true }).check()
  await form.getByLabel('From').fill('nowhere')
  await create.click()
  await form.getByRole('alert').getByText('/allowed_ips', { exact: false }).waitFor()
  await form.getByLabel('From').fill('127.0.0.1')
  await create.click()
  const shown = page.getByRole('dialog', { name: 'Keep this key now' })
  const key = (await shown.getByRole('region', { name: 'API key' }).textContent()) ?? ''
  expect(key).toMatch(/^sfk_/)
  await shown.getByRole('button', { name: 'I have kept it' }).click()
  expect(await page.evaluate(() => document.documentElement.outerHTML)).not.toContain(key)
  const asked = (path: string) => fetch(`${server.url}${path}`, { headers: { 'x-api-key': key } })
  expect((await asked('/api/v1/agents')).status).toBe(200)
  expect((await asked('/api/v1/functions')).status).toBe(403)

  await page.goto('/console/account/api-keys')
  await heading('My API keys')
  await row('nightly').getByText('agents:read', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Revoke nightly' }).click()
  const dialog = page.getByRole('dialog', { name: 'Revoke nightly?' })
  await dialog.getByLabel(/^Type/).fill('nightly')
  await dialog.getByRole('button', { name: 'Revoke' }).click()
  await row('nightly').getByText('Revoked').waitFor()
  expect((await asked('/api/v1/agents')).status).toBe(401)
})

test('a key of an agent is told by its owner', async () => {
  await page.goto('/console/api-keys?panel=new')
  const form = page.getByRole('dialog', { name: 'Create API key' })
  await form.getByLabel('Name', { exact: true }).fill('for triage')
  await form.getByRole('combobox', { name: /^Acts as/ }).fill('triage')
  await form.getByRole('option', { name: /ops:triage/ }).click()
  await form.getByText('As text').click()
  await form.getByRole('textbox', { name: 'Permissions', exact: true }).fill('runs:read')
  await form.getByRole('button', { name: 'Create API key' }).click()
  await page.getByRole('button', { name: 'I have kept it' }).click()
  await row('for triage').getByText('ops:triage').waitFor()
  await page.goto(`/console/api-keys?owner=${mia}`)
  await page.getByText('No API keys').waitFor()
})
