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
  await server.api('POST', '/api/v1/agents', {
    namespace: 'ops',
    name: 'triage',
    display_name: 'Ünïcode “Triage”',
  })
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

test('the list is filtered by the server, and filters stand in the address', async () => {
  await page.goto('/console/audit')
  await page.getByRole('link', { name: 'agent.created' }).waitFor()
  await page.getByRole('link', { name: 'session.started' }).first().waitFor()
  await page.getByRole('combobox', { name: 'Kind' }).selectOption('agent.created')
  await page.waitForURL(/kind=agent.created/)
  await expect.poll(() => page.getByRole('link', { name: 'session.started' }).count()).toBe(0)
  await page.getByRole('button', { name: 'Clear filters' }).click()
  await page.getByRole('link', { name: 'session.started' }).first().waitFor()
  await page.getByRole('combobox', { name: 'Outcome' }).selectOption('denied')
  await page.getByText('Nothing matches these filters').waitFor()
})

test('a part of the server that acts is not taken for people', async () => {
  await page.goto('/console/audit?kind=org.created')
  await page.getByText('Safeconduct: people', { exact: true }).waitFor()
})

test('what was acted upon is found by its name; an id does as well, of whatever it is', async () => {
  await page.goto('/console/audit')
  await page.getByText('More filters').click()
  const target = page.getByRole('combobox', { name: 'Target' })
  await target.fill('triage')
  await page.getByRole('option', { name: /ops:triage/ }).click()
  await page.waitForURL(/target=agt_/)
  await page.getByRole('link', { name: 'agent.created' }).waitFor()
  await expect.poll(() => page.getByRole('link', { name: 'session.started' }).count()).toBe(0)
  await page.reload()
  await expect.poll(() => target.inputValue()).toBe('ops:triage')

  // Half a name is no filter, but what was chosen as an id is one.
  await target.fill('tri')
  await target.press('Tab')
  await expect.poll(() => target.inputValue()).toBe('ops:triage')
  const key = await server.api<{ id: string }>('POST', '/api/v1/api-keys', {
    name: 'pager',
    permissions: ['runs:read'],
  })
  await target.fill(key.id)
  await page.getByRole('option', { name: key.id }).waitFor()
  await target.press('Enter')
  await page.waitForURL(new RegExp(`target=${key.id}`))
  await page.getByRole('link', { name: 'api_key.created' }).waitFor()
  expect(await page.getByRole('link', { name: 'agent.created' }).count()).toBe(0)
})

test('what happens now appears while the page follows', async () => {
  await page.goto('/console/audit?kind=agent.created&live=1')
  await page.getByText('Live', { exact: true }).waitFor()
  const rows = page.getByRole('link', { name: 'agent.created' })
  await rows.first().waitFor()
  const before = await rows.count()
  await server.api('POST', '/api/v1/agents', { namespace: 'ops', name: 'second' })
  await expect.poll(() => rows.count(), { timeout: 15_000 }).toBe(before + 1)
  await page.locator('tr.fresh').waitFor()
})

async function openFact() {
  await page.goto('/console/audit?kind=agent.created')
  await page.getByRole('link', { name: 'agent.created' }).last().click()
}

test('a fact proves itself in the browser', async () => {
  await openFact()
  await page.getByText('Computed in this browser from the bytes below.').waitFor()
  expect(await page.getByText('Holds', { exact: true }).count()).toBe(5)
})

test('one byte altered in transit, wherever it is, and the page says NOT VERIFIED', async () => {
  await openFact()
  await page.getByText('Computed in this browser from the bytes below.').waitFor()
  const address = page.url()
  const answer = await page.evaluate(
    async (id) => (await fetch(`/api/v1/audit/events/${id}`)).text(),
    address.split('/').at(-1),
  )
  const proof = answer.indexOf('"proof"')
  const places: [string, number][] = [
    ['the actor', answer.indexOf('"display":"') + 11],
    ['the time', answer.indexOf('"occurred_at":"') + 17],
    ['the target', answer.indexOf('nïcode')],
    ['the clear bytes', answer.indexOf('actor_kind', proof) + 2],
    ['the private bytes', answer.indexOf('salt', proof) + 9],
    ['the leaf hash', answer.indexOf('"leaf_hash":"') + 20],
    ['the signature', answer.lastIndexOf('\\n', answer.indexOf('\\n"', proof)) - 8],
  ]
  for (const [what, at] of places) {
    expect(at, what).toBeGreaterThan(20)
    const byte = answer.charAt(at)
    const altered = answer.slice(0, at) + (byte === '0' || byte === 'A' ? 'B' : '0') + answer.slice(at + 1)
    await page.route('**/api/v1/audit/events/evt_*', (route) =>
      route.fulfill({ contentType: 'application/json', body: altered }),
    )
    await page.goto(address)
    await page.getByText('NOT VERIFIED').first().waitFor()
    if (what === 'the target') await looksRight(page, 'fact-not-verified')
    expect(await page.getByText('Computed in this browser from the bytes below.').count(), what).toBe(0)
    await page.unroute('**/api/v1/audit/events/evt_*')
  }
  await page.goto(address)
  await page.getByText('Computed in this browser from the bytes below.').waitFor()
})

test('another fact than the one asked for is not verified either', async () => {
  await openFact()
  await page.getByText('Computed in this browser from the bytes below.').waitFor()
  const address = page.url()
  const others = await page.evaluate(async () =>
    (await fetch('/api/v1/audit/events?kind=session.started')).json(),
  )
  const other = await page.evaluate(
    async (id) => (await fetch(`/api/v1/audit/events/${id}`)).text(),
    others.items[0].id,
  )
  await page.route('**/api/v1/audit/events/evt_*', (route) =>
    route.fulfill({ contentType: 'application/json', body: other }),
  )
  await page.goto(address)
  await page.getByText('NOT VERIFIED').first().waitFor()
  await page.unroute('**/api/v1/audit/events/evt_*')
})

test('an unknown fact is said to be unknown, with the request id', async () => {
  await page.goto('/console/audit/evt_00000000000000000000000000')
  const alert = page.getByRole('alert')
  await alert.getByText(/req_/).waitFor()
  await alert.getByRole('button', { name: 'Try again' }).waitFor()
})

test('a server that is gone is said to be gone, and trying again helps', async () => {
  await page.route('**/api/v1/audit/events?**', (route) => route.abort())
  await page.goto('/console/audit')
  await page.getByText('The server does not answer').waitFor()
  await page.unroute('**/api/v1/audit/events?**')
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByRole('link', { name: 'agent.created' }).first().waitFor()
})

test('nothing that the page did was refused by its own policy', () => {
  expect(mine.complaints).toEqual([])
})
