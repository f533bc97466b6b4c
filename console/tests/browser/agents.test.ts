import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signIn, startBrowser, type Visit, visit } from '../browser'
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
  expect(await panel.getByLabel('Namespace').getAttribute('aria-invalid')).toBe('true')
})

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
  // The keyboard alone gets to the row and into it.
  await page.getByRole('link', { name: /reader/ }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'reader', level: 1 }).waitFor()
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

test('what one may not do is disabled, and says which permission is missing', async () => {
  const poor = await visit(browser, server)
  await signIn(server, poor)
  await poor.page.route('**/api/v1/permissions/check', async (route) => {
    const { permissions } = route.request().postDataJSON() as { permissions: string[] }
    await route.fulfill({
      json: { allowed: false, results: permissions.map((permission) => ({ permission, allowed: false })) },
    })
  })
  await poor.page.goto('/console/agents')
  const register = poor.page.getByRole('button', { name: 'Register agent' })
  await expect.poll(() => register.getAttribute('data-tip')).toBe('You need the permission agents:create.')
  await register.press('Enter')
  expect(await poor.page.getByRole('dialog').count()).toBe(0)
  await poor.context.close()
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
