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

const button = (name: string) => page.getByRole('button', { name, exact: true })
const heading = (name: string) => page.getByRole('heading', { name, level: 1 }).waitFor()
const value = () => page.getByRole('textbox', { name: 'Value', exact: true })

test('a namespace is made and changed, and only what differs is sent', async () => {
  await page.goto('/console/')
  await page.getByRole('link', { name: 'State', exact: true }).click()
  await heading('State')
  await button('Make a namespace').click()
  const form = page.getByRole('dialog', { name: 'Make a namespace' })
  await form.getByLabel('Name', { exact: true }).fill('cases')
  await form.getByLabel('Schema of values').fill('{"type":')
  expect(await form.getByRole('button', { name: 'Make a namespace' }).getAttribute('data-tip')).toBe(
    'This is not JSON yet.',
  )
  await form.getByLabel('Schema of values').fill('{"type": "object"}')
  await form.getByLabel('Refuse values that do not match').check()
  await form.getByLabel('Revisions that are kept').fill('5')
  await form.getByRole('button', { name: 'Make a namespace' }).click()
  await heading('cases')
  expect(await server.api('GET', '/api/v1/state/cases')).toMatchObject({
    schema: { type: 'object' },
    strict: true,
    history_depth: 5,
    default_visibility: 'private',
  })

  await button('Edit').click()
  const edit = page.getByRole('dialog', { name: 'Change cases' })
  await edit.getByLabel('Description').fill('Seen at night')
  const sent = page.waitForRequest((request) => request.method() === 'PATCH')
  await edit.getByRole('button', { name: 'Save changes' }).click()
  expect((await sent).postDataJSON()).toEqual({ description: 'Seen at night' })
  await edit.waitFor({ state: 'detached' })
  await page.getByText('Seen at night').waitFor()
})

test('an entry is put with every digit of its numbers, and refused where it does not fit', async () => {
  await page.goto('/console/state/cases')
  await button('Put an entry').click()
  const form = page.getByRole('dialog', { name: 'Put an entry' })
  await form.getByLabel('Key').fill('2026/ünusual one')
  await value().fill('7')
  await form.getByRole('button', { name: 'Put an entry' }).click()
  await form.getByRole('alert').getByText(/req_/).waitFor()
  await value().fill('{"n": 9007199254740993}')
  await form.getByLabel('Tags').fill('night, mail')
  await form.getByRole('button', { name: 'Put an entry' }).click()
  await heading('2026/ünusual one')
  expect(await value().inputValue()).toContain('9007199254740993')
})

test('a change overwrites nobody, and what was before stays readable', async () => {
  const path = '/api/v1/state/cases/entries/2026%2F%C3%BCnusual%20one'
  await value().fill('{"n": 1}')
  await server.api('PUT', path, { value: { n: 2 } })
  await button('Save changes').click()
  await page.getByRole('alert').getByText('The thing changed since you read it').waitFor()
  expect(await server.api('GET', path)).toMatchObject({ value: { n: 2 } })
  await page.reload()
  await heading('2026/ünusual one')
  await value().fill('{"n": 3}')
  await button('Save changes').click()
  await page.getByText('{"n":3}').or(page.getByText('"n": 3')).first().waitFor()
  await page.getByRole('link', { name: 'History' }).click()
  for (const past of ['{"n":3}', '{"n":2}']) await page.getByText(past, { exact: true }).waitFor()
  await button('Remove').click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await heading('cases')
  await page.getByText('No entries that you may see').waitFor()
})

test('a secret is read when somebody asks for it, and not before', async () => {
  await server.api('POST', '/api/v1/state', { name: 'tokens', secret: true })
  await server.api('PUT', '/api/v1/state/tokens/entries/pin', { value: 'tangerine' })
  const asked: string[] = []
  page.on('request', (request) => {
    if (request.url().endsWith('/entries/pin')) asked.push(request.resourceType())
  })
  await page.goto('/console/state/tokens')
  await page.getByRole('link', { name: 'pin' }).click()
  await page.getByText('Reading it leaves a fact.').waitFor()
  expect(asked.filter((kind) => kind === 'fetch')).toEqual([])
  await button('Show the value').click()
  await expect.poll(() => value().inputValue()).toBe('"tangerine"')
  expect(asked.filter((kind) => kind === 'fetch')).toEqual(['fetch'])
})
