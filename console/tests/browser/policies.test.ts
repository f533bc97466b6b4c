/** Rules written, checked, rehearsed, put in force and taken out of it; who reaches what, and who holds too much. */

import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { signIn, signInAs, startBrowser, visit } from '../browser'
import { looksRight } from '../look'
import { type Server, startServer } from '../server'

let server: Server
let browser: Browser
let page: Page
let complaints: string[]
let agent: { id: string }
let other: { id: string }
beforeAll(async () => {
  server = await startServer({ Vera: 'auditor' }, { 'decisions.record': 'full' })
  browser = await startBrowser()
  agent = await server.api('POST', '/api/v1/agents', {
    namespace: 'prod',
    name: 'billing',
    permissions: ['functions:execute:all', 'runs:read:own'],
  })
  other = await server.api('POST', '/api/v1/agents', {
    namespace: 'lab',
    name: 'papers',
    permissions: ['functions/lab/*:execute:own'],
  })
  const mine = await visit(browser, server)
  ;({ page, complaints } = mine)
  await signIn(server, mine)
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

const button = (name: string, within: Locator | Page = page) =>
  within.getByRole('button', { name, exact: true })
const editor = (name = 'agents.rego') => page.getByRole('textbox', { name, exact: true })

const STAYS = `package safeconduct.agents

# Nobody changes production.
deny contains "production stays" if {
	input.operation == "agents.update"
	input.resource.namespace == "prod"
}
`

async function command(within: Locator | Page): Promise<string> {
  await within.getByText('The same from a terminal').click()
  return (await within.getByRole('region', { name: 'Command' }).textContent()) ?? ''
}

test('a draft is checked, and what is wrong stands at its line', async () => {
  await page.goto('/console/policies')
  await page.getByText('No rules yet').waitFor()
  await button('New version').click()
  await editor().fill('package safeconduct.agents\n\ndeny contains if {\n')
  await button('Check').click()
  await page.getByText('To be mended').waitFor()
  await page.getByText('agents.rego:', { exact: false }).first().waitFor()
  await page.locator('.editor li.wrong').waitFor()
  await editor().fill(STAYS)
  await button('Check').click()
  await page.getByText('One rule, nothing to mend').waitFor()
  // In its colours, letter by letter the same text.
  expect(await page.locator('.editor.painted pre').textContent()).toBe(`${STAYS}\n`)
  expect(await page.locator('.editor.painted .comment').textContent()).toBe('# Nobody changes production.')
  await looksRight(page, 'policy-draft')
})

test('the draft is asked before it is kept', async () => {
  const form = page.getByRole('form', { name: 'Simulator' })
  await form.getByLabel('Permission').fill('agents:update')
  await form.getByLabel('Operation').fill('agents.update')
  await form.getByLabel('Object (optional)', { exact: true }).fill('prod/billing')
  await button('Ask', form).click()
  const answer = page.getByRole('region', { name: 'Answer' })
  await answer.getByText('It would be refused.').waitFor()
  await answer.getByText('production stays').first().waitFor()
  await answer.getByText('agents.rego:4').waitFor()
  const shown = await command(form)
  const told = await server.shell(`${shown} --json || true`, { 'agents.rego': STAYS })
  expect(JSON.parse(told)).toMatchObject({ allowed: false, permitted: true, reasons: ['production stays'] })
})

test('a version is kept, and refuses nothing before it is put in force', async () => {
  await page.getByLabel('Description').fill('Production stays')
  await button('Keep version').click()
  await page.getByRole('heading', { name: 'Version 1', level: 1 }).waitFor()
  await page.getByText('Not in force').waitFor()
  await server.api('PATCH', `/api/v1/agents/${agent.id}`, { description: 'Sends invoices and reminders.' })
  await button('Activate').click()
  await button('Activate', page.getByRole('dialog')).click()
  await page.getByText('In force', { exact: true }).waitFor()
  await expect(
    server.api('PATCH', `/api/v1/agents/${agent.id}`, { description: 'Sends nothing.' }),
  ).rejects.toThrow(/production stays/)
  expect(complaints).toEqual([])
})

test('recorded decisions are put to a draft; each that would change is listed', async () => {
  await server.api('PATCH', `/api/v1/agents/${other.id}`, { description: 'Reads papers.' })
  await page.goto('/console/policies')
  await button('New version').click()
  const lab = STAYS.replace('"prod"', '"lab"')
  await editor().fill(lab)
  const form = page.getByRole('form', { name: 'What if' })
  const changes = page.getByRole('region', { name: 'Changed decisions' })
  await button('Replay', form).click()
  // A change is asked about the thing as it was and as it will be.
  await changes.getByText('3 decisions would change.').waitFor()
  const refused = changes.getByRole('row').filter({ hasText: 'lab/papers' }).first()
  expect(await refused.locator('.status').allTextContents()).toEqual(['Allowed', 'Denied'])
  await refused.getByText('production stays', { exact: false }).waitFor()
  const allowed = changes.getByRole('row').filter({ hasText: 'prod/billing' })
  expect(await allowed.locator('.status').allTextContents()).toEqual(['Denied', 'Allowed'])
  await looksRight(page, 'what-if')
  const told = await server.shell(`${await command(form)} --json`, { 'agents.rego': lab })
  expect(JSON.parse(told)).toMatchObject({ changed: 3 })
})

test('what is in force is asked without naming it', async () => {
  await page.goto('/console/policies?tab=simulate')
  const form = page.getByRole('form', { name: 'Simulator' })
  await form.getByLabel('Permission').fill('agents:update')
  await form.getByLabel('Operation').fill('agents.update')
  await form.getByLabel('Attributes').fill('{"namespace": "lab"}')
  await form.getByLabel('Object (optional)', { exact: true }).fill('lab/papers')
  await button('Ask', form).click()
  const answer = page.getByRole('region', { name: 'Answer' })
  await answer.getByText('It would be allowed.').waitFor()
  await answer.getByText('No rule spoke.').waitFor()
  await looksRight(page, 'simulated')
})

test('the next version begins with the last, by the page and by the command', async () => {
  await page.goto('/console/policies')
  await button('New version').click()
  await page.getByText('Begins with what version 1 says.').waitFor()
  expect(await editor().inputValue()).toBe(STAYS)
  await button('data.json').click()
  await editor('data.json').fill('{"frozen": ["prod"]}')
  await page.getByLabel('Description').fill('With data')
  const push = page.locator('form.workbench')
  await server.shell(await command(push), { 'agents.rego': STAYS, 'data.json': '{"frozen": ["prod"]}' })
  const { items } = await server.api<{ items: { number: number; description: string }[] }>(
    'GET',
    '/api/v1/policies',
  )
  expect(items[0]).toMatchObject({ number: 2, description: 'With data', active: false })
})

test('it is taken out of force by its name, by the page and by the command', async () => {
  await page.goto('/console/policies')
  await page.getByRole('link', { name: /Version 1/ }).click()
  await button('Take out of force').click()
  const dialog = page.getByRole('dialog')
  const act = button('Take out of force', dialog)
  expect(await act.getAttribute('aria-disabled')).toBe('true')
  const taking = await command(dialog)
  await dialog.getByLabel('Type Version 1').fill('Version 1')
  await act.click()
  await page.getByText('Not in force').waitFor()
  await button('Activate').click()
  await server.shell(`${await command(page.getByRole('dialog'))} --yes`)
  await server.shell(`${taking} --yes`)
  await server.api('PATCH', `/api/v1/agents/${agent.id}`, { description: 'Sends all.' })
})

test('the graph shows who reaches a permission and by which grant', async () => {
  await page.goto('/console/access')
  await page.getByLabel('Permission').fill('functions:execute')
  await button('Show').click()
  const row = page.getByRole('row').filter({ hasText: 'prod:billing' })
  await row.getByText('functions:execute:all').waitFor()
  await row.getByText('Every').waitFor()
  await page.getByRole('img', { name: /agents and the grants/ }).waitFor()
  expect(await page.locator('.graph .box').filter({ hasText: 'prod:billing' }).count()).toBe(1)
  const legend = page.getByRole('listitem').filter({ hasText: 'line:' })
  expect(await legend.count()).toBe(3)
  await looksRight(page, 'access')
  await page.goto('/console/access?permission=nonsense:::')
  await page.getByRole('alert').getByText(/req_/).waitFor()
  await page.goto('/console/access?permission=toolkits:delete')
  await page.getByText('No agent reaches this').waitFor()
})

test('an agent’s page says what it holds and does not use', async () => {
  await page.goto(`/console/agents/${agent.id}?tab=advice`)
  const unused = page.getByRole('region', { name: 'Granted but not used' })
  await vi.waitFor(async () => expect(await unused.textContent()).toContain('functions:execute:all'), 30_000)
  expect(JSON.parse(await server.shell(`${await command(page)} --json`))).toMatchObject({ agent: agent.id })
  await looksRight(page, 'advice')
})

test('whoever only reads may rehearse but not write or activate', async () => {
  const vera = await visit(browser, server)
  await signInAs(server, vera, server.people.Vera)
  await vera.page.goto('/console/policies')
  const create = button('New version', vera.page)
  await expect.poll(() => create.getAttribute('data-tip')).toContain('policies:create')
  await vera.page.getByRole('link', { name: /Version 1/ }).click()
  await expect.poll(() => button('Activate', vera.page).getAttribute('data-tip')).toContain('policies:update')
  await vera.context.close()
})
