import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signIn, startBrowser, type Visit, visit } from '../browser'
import { type Dns, startDns } from '../dns'
import { type Server, startServer } from '../server'

let server: Server
let dns: Dns
let browser: Browser
let mine: Visit
let page: Page
beforeAll(async () => {
  dns = await startDns()
  server = await startServer({}, { 'dns.servers': dns.address })
  browser = await startBrowser()
  mine = await visit(browser, server)
  page = mine.page
  await signIn(server, mine)
})
afterAll(async () => {
  expect(mine?.complaints).toEqual([])
  await browser?.close()
  await server?.stop()
  dns?.stop()
})

const heading = (name: string) => page.getByRole('heading', { name, level: 1 }).waitFor()

test('settings are changed, and only what differs is sent', async () => {
  await page.goto('/console/')
  await page.getByRole('link', { name: 'Organization', exact: true }).click()
  await heading('Home')
  await page.getByRole('button', { name: 'Edit' }).click()
  const form = page.getByRole('dialog', { name: 'Edit Home' })
  const save = form.getByRole('button', { name: 'Save changes' })
  expect(await save.getAttribute('aria-disabled')).toBe('true')
  await form.getByLabel('Name', { exact: true }).fill('Headquarters')
  await form.getByLabel('Time zone').fill('Europe/Zurich')
  await form.getByLabel('Sessions end after').fill('12')
  await form.getByLabel('New agents need approval').check()
  await form.getByLabel('Notified').fill('ops@example.com\nboss@example.com')
  await form.getByLabel('Production: Credentials').fill('90')
  const sent = page.waitForRequest((request) => request.method() === 'PATCH')
  await save.click()
  expect((await sent).postDataJSON()).toEqual({
    name: 'Headquarters',
    settings: {
      time_zone: 'Europe/Zurich',
      session_lifetime_seconds: 43_200,
      new_agents_need_approval: true,
      notification_addresses: ['ops@example.com', 'boss@example.com'],
      maximum_age_seconds: { production: { credentials: 7_776_000 } },
    },
  })
  await form.waitFor({ state: 'detached' })
  await heading('Headquarters')
  await page.getByText('Europe/Zurich').waitFor()
  await page.getByText('12 hours').waitFor()
  await page.getByText('Credentials: 90 days').waitFor()
  // The bar says it as well.
  await page.getByRole('button', { name: 'Organization: Headquarters' }).waitFor()
})

test('who was slower is told, sees the newer values and loses nobody’s change', async () => {
  await page.goto('/console/org?panel=edit')
  const form = page.getByRole('dialog')
  await form.getByLabel('Billing e-mail').fill('bills@example.com')
  await server.api('PATCH', '/api/v1/orgs/home', { name: 'Home' })
  await form.getByRole('button', { name: 'Save changes' }).click()
  await form.getByText('Somebody changed this meanwhile').waitFor()
  expect(await form.getByLabel('Name', { exact: true }).inputValue()).toBe('Home')
  await form.getByLabel('Time zone').fill('not a zone')
  await form.getByRole('button', { name: 'Save changes' }).click()
  await form.getByRole('alert').getByText('/settings').waitFor()
  await form.getByLabel('Time zone').fill('')
  await form.getByRole('button', { name: 'Save changes' }).click()
  await form.waitFor({ state: 'detached' })
  expect(await server.api('GET', '/api/v1/org')).toMatchObject({
    name: 'Home',
    settings: { time_zone: null, session_lifetime_seconds: 43_200 },
  })
})

test('a domain is claimed, its record shown, looked for, found, and given up', async () => {
  await page.goto('/console/org?tab=domains')
  await page.getByText('No domains yet').waitFor()
  await page.getByRole('button', { name: 'Claim domain' }).click()
  const dialog = page.getByRole('dialog', { name: 'Claim domain' })
  await dialog.getByLabel('Domain').fill('not a domain')
  await dialog.getByRole('button', { name: 'Claim domain' }).click()
  await dialog.getByRole('alert').getByText('/name').waitFor()
  await dialog.getByLabel('Domain').fill('Example.com')
  await dialog.getByRole('button', { name: 'Claim domain' }).click()
  await dialog.waitFor({ state: 'detached' })

  const card = page.getByRole('article', { name: 'example.com' })
  await card.getByText('Not proved', { exact: true }).waitFor()
  const record = (await card.getByText('_safeconduct.example.com').first().textContent()) ?? ''
  const value = (await card.getByText('safeconduct-domain=').first().textContent()) ?? ''
  await card.getByRole('button', { name: 'Check now' }).click()
  await card.getByRole('alert').getByText(/req_/).waitFor()
  dns.says(record, 'v=spf1 -all')
  dns.says(record, value)
  await card.getByRole('button', { name: 'Check now' }).click()
  await card.getByText('Proved', { exact: true }).waitFor()
  expect(await card.getByRole('button', { name: 'Check now' }).count()).toBe(0)

  await card.getByRole('button', { name: 'Give up' }).click()
  const giving = page.getByRole('dialog', { name: 'Give up example.com?' })
  expect(await giving.getByRole('button', { name: 'Give up' }).getAttribute('aria-disabled')).toBe('true')
  await giving.getByLabel(/^Type/).fill('example.com')
  await giving.getByRole('button', { name: 'Give up' }).click()
  await page.getByText('No domains yet').waitFor()
})

test('an operator founds an organization and goes over to it and back', async () => {
  await server.api('POST', '/api/v1/agents', { namespace: 'ops', name: 'triage' })
  await page.goto('/console/orgs')
  await page.getByRole('button', { name: 'Found organization' }).click()
  const form = page.getByRole('dialog', { name: 'Found organization' })
  await form.getByLabel('Name', { exact: true }).fill('Acme')
  await form.getByLabel('Slug').fill('home')
  await form.getByRole('button', { name: 'Found organization' }).click()
  await form.getByRole('alert').getByText(/req_/).waitFor()
  await form.getByLabel('Slug').fill('acme')
  await form.getByRole('button', { name: 'Found organization' }).click()
  await heading('Acme')
  expect(page.url()).toBe(`${server.url}/console/orgs/acme`)

  await page.goto('/console/agents')
  await page.getByRole('row').filter({ hasText: 'ops:triage' }).waitFor()
  await page.getByRole('button', { name: 'Organization: Home' }).click()
  await page.getByRole('menuitem', { name: 'Switch to Acme' }).click()
  await page.getByRole('button', { name: 'Organization: Acme' }).waitFor()
  await page.getByText('First steps').waitFor()
  await page.getByRole('link', { name: 'Agents', exact: true }).click()
  await page.getByText('No agents yet').waitFor()
  expect(await page.getByText('ops:triage').count()).toBe(0)

  await page.goto('/console/orgs')
  await page.getByRole('row').filter({ hasText: 'acme' }).getByText('You are here').waitFor()
  await page.getByRole('button', { name: 'Switch to Home' }).click()
  await page.getByRole('button', { name: 'Organization: Home' }).waitFor()
})

test('the list is narrowed to one’s own, by name and by status', async () => {
  await server.api('POST', '/api/v1/orgs', { slug: 'gone-soon', name: 'Gone soon' })
  await page.goto('/console/orgs?mine=true&q=acm')
  await page.getByRole('row').filter({ hasText: 'acme' }).waitFor()
  expect(await page.getByRole('row').filter({ hasText: 'gone-soon' }).count()).toBe(0)
  await page.goto('/console/orgs?status=leaving')
  await page.getByText('Nothing matches these filters').waitFor()
})

test('an organization is let go by its slug and brought back; the home organization stays', async () => {
  await page.goto('/console/orgs/gone-soon')
  await heading('Gone soon')
  await page.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Delete organization' }).click()
  const dialog = page.getByRole('dialog', { name: 'Delete Gone soon?' })
  const act = dialog.getByRole('button', { name: 'Delete organization' })
  await dialog.getByLabel(/^Type/).fill('gone')
  expect(await act.getAttribute('aria-disabled')).toBe('true')
  await dialog.getByLabel(/^Type/).fill('gone-soon')
  await act.click()
  const notice = page.getByRole('region', { name: 'This organization is on its way out' })
  await notice.waitFor()
  expect(await server.api('GET', '/api/v1/orgs/gone-soon')).toMatchObject({ status: 'leaving' })
  await notice.getByRole('button', { name: 'Restore' }).click()
  await notice.waitFor({ state: 'detached' })
  expect(await server.api('GET', '/api/v1/orgs/gone-soon')).toMatchObject({ status: 'active' })

  await page.goto('/console/org')
  await heading('Home')
  await page.getByRole('button', { name: 'More actions' }).click()
  const item = page.getByRole('menuitem', { name: 'Delete organization' })
  await item.getByText('The home organization stays').waitFor()
  await page.keyboard.press('Escape')
})
