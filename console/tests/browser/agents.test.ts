import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signIn, startBrowser, type Visit, visit } from '../browser'
import { looksRight } from '../look'
import { type Server, startServer } from '../server'

let server: Server
let browser: Browser
let mine: Visit
let page: Page
beforeAll(async () => {
  server = await startServer()
  browser = await startBrowser()
  mine = await visit(browser, server)
  page = mine.page
  await signIn(server, mine)
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

async function register(name: string) {
  await page.goto('/console/agents?panel=new')
  const panel = page.getByRole('dialog', { name: 'Register agent' })
  await panel.getByLabel('Name', { exact: true }).fill(name)
  return panel
}

test('an agent is registered in the side panel, which shows the same change for a terminal', async () => {
  await page.goto('/console/agents')
  await page.getByText('No agents yet').waitFor()
  const panel = await register('triage')
  await panel.getByLabel('Namespace').fill('ops')
  await panel.getByLabel('Type').selectOption('router')
  await panel.getByText('The same from a terminal').click()
  await panel.getByText('safeconduct agents register ops:triage').waitFor()
  await panel.getByText('"name":"triage"').waitFor()
  await panel.getByRole('button', { name: 'Register agent' }).click()
  await page.getByRole('heading', { name: 'triage', level: 1 }).waitFor()
  expect(page.url()).toMatch(/\/console\/agents\/agt_/)
  expect(await server.api('GET', '/api/v1/agents/ops:triage')).toMatchObject({
    type: 'router',
    status: 'active',
  })
})

test('what the server refuses stands at the field and beside the request id', async () => {
  const panel = await register('triage')
  await panel.getByLabel('Namespace').fill('ops')
  await panel.getByRole('button', { name: 'Register agent' }).click()
  await panel.getByRole('alert').getByText(/req_/).waitFor()
  await panel.getByLabel('Namespace').fill('Not Lower')
  await panel.getByRole('button', { name: 'Register agent' }).click()
  await panel.getByRole('alert').getByText('/namespace').waitFor()
  await expect.poll(() => panel.getByLabel('Namespace').getAttribute('aria-invalid')).toBe('true')
})

/** Tag and text: the page itself holds everybody's words. */
function focused(): Promise<string> {
  return page.evaluate(() => `${document.activeElement?.tagName} ${document.activeElement?.textContent}`)
}

test('filters stand in the address', async () => {
  await server.api('POST', '/api/v1/agents', { namespace: 'lab', name: 'reader', deployment_env: 'staging' })
  await page.goto('/console/agents?env=staging')
  await page.getByRole('link', { name: /reader/ }).waitFor()
  expect(await page.getByRole('link', { name: /triage/ }).count()).toBe(0)
  await page.getByRole('combobox', { name: 'Environment' }).selectOption('')
  await page.getByRole('link', { name: /triage/ }).waitFor()
  await page.getByRole('searchbox', { name: 'Search agents' }).fill('reader')
  await page.waitForURL(/q=reader/)
  await expect.poll(() => page.getByRole('link', { name: /triage/ }).count()).toBe(0)
})

test('the keyboard alone goes past the places, through the rows and into one', async () => {
  await page.goto('/console/agents')
  await page.getByRole('link', { name: /triage/ }).waitFor()
  await page.keyboard.press('Tab')
  expect(await focused()).toBe('BUTTON Skip to the page')
  await page.keyboard.press('Enter')
  // From the page on: the button, four filters, the rows.
  for (let step = 0; step < 8 && !(await focused()).startsWith('A '); step++) await page.keyboard.press('Tab')
  expect(await focused()).toMatch(/^A .*lab:reader$/)
  await page.keyboard.press('j')
  expect(await focused()).toMatch(/^A .*ops:triage$/)
  await page.keyboard.press('ArrowUp')
  expect(await focused()).toMatch(/^A .*lab:reader$/)
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'triage', level: 1 }).waitFor()
})

test('a secret is shown once, works, and dies with the agent; the kill leaves a receipt', async () => {
  const { id } = await server.api<{ id: string }>('GET', '/api/v1/agents/ops:triage')
  await page.goto(`/console/agents/${id}?tab=credentials`)
  await page.getByRole('button', { name: 'Create credential' }).first().click()
  const panel = page.getByRole('dialog', { name: 'Create credential' })
  await panel.getByLabel('Label').fill('ci')
  await panel.getByRole('button', { name: 'Create credential' }).click()
  const shown = page.getByRole('dialog', { name: 'Keep this secret now' })
  const secret = (await shown.getByRole('region', { name: 'Client secret' }).textContent()) ?? ''
  expect(secret).toMatch(/^sfc_dev_/)
  await looksRight(page, 'agent-secret')
  await shown.getByRole('button', { name: 'I have kept it' }).click()
  await page.reload()
  await page.getByText('ci', { exact: true }).waitFor()
  expect(await page.content()).not.toContain(secret)

  const token = await tokenOf(id, secret)
  expect(await statusOf(token)).toBe(200)

  await page.getByRole('button', { name: 'Kill', exact: true }).click()
  const question = page.getByRole('dialog', { name: /^Kill/ })
  const kill = question.getByRole('button', { name: /^Kill/ })
  expect(await kill.getAttribute('aria-disabled')).toBe('true')
  await question.getByLabel('Reason').fill('leaked secret')
  await question.getByLabel(/^Type/).fill('ops:triage')
  await kill.click()
  const receipt = page.getByRole('dialog', { name: 'Receipt of the kill' })
  await receipt.getByText(/kil_/).waitFor()
  await receipt.getByText('Applied').waitFor()
  // When it was asked for, when it was done, and what lies between: to the millisecond.
  expect(await receipt.locator('time').allTextContents()).toEqual([
    expect.stringMatching(/:\d\d\.\d{3}/),
    expect.stringMatching(/:\d\d\.\d{3}/),
  ])
  await receipt.getByText('Took').waitFor()
  await looksRight(page, 'agent-killed')
  await receipt.getByRole('button', { name: 'Close' }).last().click()
  await page.getByText('Suspended', { exact: true }).waitFor()
  expect(await statusOf(token)).toBe(401)

  // Only an active agent gets credentials, and the button says so.
  const create = page.getByRole('button', { name: /^Create credential/ })
  expect(await create.getAttribute('aria-disabled')).toBe('true')
  await page.getByText('Only an active agent gets credentials.').first().waitFor({ state: 'attached' })

  await page.getByRole('button', { name: 'Reactivate' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Reactivate' }).click()
  await page.getByText('Active', { exact: true }).first().waitFor()
  expect(await statusOf(token)).toBe(401)
})

test('on a phone the buttons stand below title and id, and every tab is seen', async () => {
  await page.setViewportSize({ width: 390, height: 844 })
  const top = async (what: string) => (await page.locator(what).first().boundingBox())?.y ?? Number.NaN
  expect(await top('.page-header .detail')).toBeGreaterThan(await top('.page-header h1'))
  expect(await top('.page-header .actions')).toBeGreaterThan(await top('.page-header .detail'))
  const tabs = page.getByRole('navigation', { name: 'Parts of the agent' })
  expect(await tabs.evaluate((bar) => bar.scrollWidth - bar.clientWidth)).toBe(0)
  await page.setViewportSize({ width: 1440, height: 900 })
  expect(await top('.page-header .actions')).toBeLessThan(await top('.page-header .detail'))
})

test('credentials are rotated with an overlap and revoked by their name', async () => {
  const { id } = await server.api<{ id: string }>('GET', '/api/v1/agents/ops:triage')
  await page.goto(`/console/agents/${id}?tab=credentials`)
  await page.getByRole('button', { name: 'Actions for ci' }).click()
  await page.getByRole('menuitem', { name: 'Rotate' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click()
  await page.getByRole('button', { name: 'I have kept it' }).click()
  await expect.poll(() => page.getByRole('row').filter({ hasText: 'crd_' }).count()).toBe(2)
  await page.getByRole('button', { name: 'Actions for ci' }).last().click()
  await page.getByRole('menuitem', { name: 'Revoke' }).click()
  const question = page.getByRole('dialog', { name: /^Revoke/ })
  await question.getByLabel(/^Type/).fill('ci')
  await question.getByRole('button', { name: /^Revoke/ }).click()
  await page.getByText('Revoked', { exact: true }).waitFor()
})

test('when the sign-in is too old for it, the button says what to do', async () => {
  const { id } = await server.api<{ id: string }>('GET', '/api/v1/agents/ops:triage')
  const late = await visit(browser, server)
  await signIn(server, late)
  await late.page.clock.install()
  await late.page.goto(`/console/agents/${id}?tab=credentials`)
  const create = late.page.getByRole('button', { name: 'Create credential' })
  await create.waitFor()
  expect(await create.getAttribute('aria-disabled')).toBeNull()
  await late.page.clock.fastForward('06:00')
  await expect.poll(() => create.getAttribute('data-tip')).toContain('safeconduct admin link')
  expect(await create.getAttribute('aria-disabled')).toBe('true')
  await late.context.close()
})

test('an agent is changed in the side panel: what differs is sent, and nothing else', async () => {
  const { id } = await server.api<{ id: string }>('POST', '/api/v1/agents', {
    namespace: 'ops',
    name: 'watch',
    permissions: ['agents:read:all'],
    tags: ['night', 'tier-1'],
    metadata: { team: 'sre', pager: { level: 1, loud: true } },
  })
  await page.goto(`/console/agents/${id}`)
  await page.getByRole('button', { name: 'Edit', exact: true }).click()
  const panel = page.getByRole('dialog', { name: 'Edit watch' })
  const save = panel.getByRole('button', { name: 'Save changes' })
  expect(await save.getAttribute('data-tip')).toBe('Nothing is changed yet.')
  await panel.getByLabel('Display name').fill('Night watch')
  await panel.getByLabel('Environment').selectOption('production')
  await panel.getByLabel('Visibility').selectOption('private')
  await panel.getByLabel('Tags').fill('')
  await panel.getByLabel('member').check()
  await panel.getByLabel('Metadata').fill('{"pager": {"level": 2}, "rota": "b"}')
  const sent = page.waitForRequest((request) => request.method() === 'PATCH')
  await save.click()
  expect((await sent).postDataJSON()).toEqual({
    display_name: 'Night watch',
    deployment_env: 'production',
    visibility: 'private',
    roles: ['member'],
    tags: [],
    metadata: { team: null, pager: { level: 2, loud: null }, rota: 'b' },
  })
  expect((await sent).headers()['if-match']).toBe('"1"')
  await page.getByRole('heading', { name: 'Night watch', level: 1 }).waitFor()
  await panel.waitFor({ state: 'detached' })
  expect(await server.api('GET', `/api/v1/agents/${id}`)).toMatchObject({
    metadata: { pager: { level: 2 }, rota: 'b' },
    permissions: ['agents:read:all'],
    tags: [],
    revision: 2,
  })
})

test('a change that somebody else made meanwhile is neither lost nor overwritten', async () => {
  const { id } = await server.api<{ id: string }>('GET', '/api/v1/agents/ops:watch')
  await page.goto(`/console/agents/${id}?panel=edit`)
  const panel = page.getByRole('dialog', { name: /^Edit/ })
  await panel.getByLabel('Description').fill('Mine.')
  await server.api('PATCH', `/api/v1/agents/${id}`, { display_name: 'Theirs', tags: ['theirs'] })
  await panel.getByRole('button', { name: 'Save changes' }).click()
  await panel.getByText('Somebody changed this agent meanwhile.', { exact: false }).waitFor()
  expect(await panel.getByLabel('Display name').inputValue()).toBe('Theirs')
  expect(await panel.getByLabel('Description').inputValue()).toBe('Mine.')
  expect(await server.api('GET', `/api/v1/agents/${id}`)).toMatchObject({ description: '', revision: 3 })
  await panel.getByRole('button', { name: 'Save changes' }).click()
  await panel.waitFor({ state: 'detached' })
  expect(await server.api('GET', `/api/v1/agents/${id}`)).toMatchObject({
    display_name: 'Theirs',
    description: 'Mine.',
    tags: ['theirs'],
    revision: 4,
  })
})

test('metadata that is no object cannot be saved, and the button says so', async () => {
  const { id } = await server.api<{ id: string }>('GET', '/api/v1/agents/ops:watch')
  await page.goto(`/console/agents/${id}?panel=edit`)
  const panel = page.getByRole('dialog')
  await panel.getByLabel('Metadata').fill('[1]')
  const save = panel.getByRole('button', { name: 'Save changes' })
  expect(await save.getAttribute('data-tip')).toBe('This is not a JSON object yet.')
  await save.press('Enter')
  expect(await server.api('GET', `/api/v1/agents/${id}`)).toMatchObject({ revision: 4 })
})

test('an agent is retired once its name was typed; nothing but its record is left', async () => {
  const { id } = await server.api<{ id: string }>('POST', '/api/v1/agents', { namespace: 'ops', name: 'old' })
  const made = await server.api<{ client_secret: string }>('POST', `/api/v1/agents/${id}/credentials`, {
    kind: 'secret',
    label: 'host',
  })
  const token = await tokenOf(id, made.client_secret)
  expect(await statusOf(token)).toBe(200)
  await page.goto(`/console/agents/${id}`)
  // With the keyboard alone.
  await page.getByRole('button', { name: 'More actions' }).press('Enter')
  await page.locator('[role=menuitem]:focus').waitFor()
  await page.keyboard.press('Enter')
  const question = page.getByRole('dialog', { name: 'Decommission old?' })
  const retire = question.getByRole('button', { name: 'Decommission' })
  expect(await retire.getAttribute('aria-disabled')).toBe('true')
  await question.getByLabel(/^Type/).fill('ops:old')
  await retire.click()
  await page.getByText('Decommissioned', { exact: true }).waitFor()
  expect(await statusOf(token)).toBe(401)
  for (const name of ['Edit', 'Suspend', 'Kill']) {
    const gone = page.getByRole('button', { name, exact: true })
    expect(await gone.getAttribute('data-tip')).toBe('This agent was decommissioned; that is final.')
  }
  await page.getByRole('link', { name: 'Credentials' }).click()
  await page.getByText('Revoked', { exact: true }).waitFor()
})

test('nothing that the page did was refused by its own policy', () => {
  expect(mine.complaints).toEqual([])
})

async function tokenOf(agent: string, secret: string): Promise<string> {
  const response = await fetch(`${server.url}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${agent}:${secret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  const { access_token } = (await response.json()) as { access_token?: string }
  if (!access_token) throw new Error(`no token: ${response.status}`)
  return access_token
}

async function statusOf(token: string): Promise<number> {
  return (await fetch(`${server.url}/api/v1/auth/me`, { headers: { authorization: `Bearer ${token}` } }))
    .status
}
