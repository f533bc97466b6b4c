/** Every change shows its command. Here each of them is taken from the page and run by the real command line. */

import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signIn, startBrowser, visit } from '../browser'
import { type Server, startServer } from '../server'

let server: Server
let browser: Browser
let page: Page
beforeAll(async () => {
  server = await startServer()
  browser = await startBrowser()
  const mine = await visit(browser, server)
  page = mine.page
  await signIn(server, mine)
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

/** The command that the form shows. */
async function command(within: Locator | Page): Promise<string> {
  await within.getByText('The same from a terminal').click()
  return (await within.getByRole('region', { name: 'Command' }).textContent()) ?? ''
}

const agent = () => server.api<{ id: string; status: string }>('GET', '/api/v1/agents/ops:night_watch')

test('register an agent', async () => {
  await page.goto('/console/agents?panel=new')
  const panel = page.getByRole('dialog')
  await panel.getByLabel('Namespace').fill('ops')
  await panel.getByLabel('Name', { exact: true }).fill('night_watch')
  await panel.getByLabel('Display name').fill('Ada’s "night" watch')
  await panel.getByLabel('Type').selectOption('monitor')
  await panel.getByLabel('Permissions').fill('functions:execute:all\nruns:read:own')
  await server.shell(await command(panel))
  expect(await agent()).toMatchObject({
    display_name: 'Ada’s "night" watch',
    type: 'monitor',
    permissions: ['functions:execute:all', 'runs:read:own'],
  })
})

test('change an agent', async () => {
  const { id } = await agent()
  await server.api('PATCH', `/api/v1/agents/${id}`, { tags: ['old'], metadata: { team: 'sre', old: 1 } })
  await page.goto(`/console/agents/${id}?panel=edit`)
  const panel = page.getByRole('dialog')
  await panel.getByLabel('Description').fill("- it's “late”")
  await panel.getByLabel('Environment').selectOption('staging')
  await panel.getByLabel('Permissions').fill('')
  await panel.getByLabel('Tags').fill('')
  await panel.getByLabel('Capabilities').fill('incidents:triage doors:close')
  await panel.getByLabel('Metadata').fill('{"team": "sre", "shift": {"from": 22}}')
  await server.shell(await command(panel))
  expect(await agent()).toMatchObject({
    description: "- it's “late”",
    deployment_env: 'staging',
    permissions: [],
    tags: [],
    capabilities: ['incidents:triage', 'doors:close'],
    metadata: { team: 'sre', shift: { from: 22 } },
  })
})

test('create, rotate and revoke a credential', async () => {
  const { id } = await agent()
  await page.goto(`/console/agents/${id}?tab=credentials`)
  await page.getByRole('button', { name: 'Create credential' }).click()
  await page.getByRole('dialog').getByLabel('Label').fill('night shift')
  await server.shell(`${await command(page.getByRole('dialog'))} --out secret.txt`)
  await page.reload()
  for (const [item, flags] of [
    ['Rotate', ' --out rotated.txt'],
    ['Revoke', ' --yes'],
  ] as const) {
    await page.getByRole('button', { name: 'Actions for night shift' }).last().click()
    await page.getByRole('menuitem', { name: item }).click()
    await server.shell((await command(page.getByRole('dialog'))) + flags)
    await page.reload()
  }
  await page.getByText('Revoked', { exact: true }).waitFor()
})

test('suspend, reactivate and kill an agent', async () => {
  const { id } = await agent()
  for (const [panel, status] of [
    ['suspend', 'suspended'],
    ['reactivate', 'active'],
    ['kill', 'suspended'],
  ]) {
    await page.goto(`/console/agents/${id}?panel=${panel}`)
    await server.shell(`${await command(page.getByRole('dialog'))} --yes`)
    expect(await agent()).toMatchObject({ status })
  }
})

test('retire an agent', async () => {
  const { id } = await agent()
  await page.goto(`/console/agents/${id}?panel=decommission`)
  await server.shell(`${await command(page.getByRole('dialog'))} --yes`)
  expect(await agent()).toMatchObject({ status: 'decommissioned' })
})

test('end a session', async () => {
  const other = await visit(browser, server)
  await signIn(server, other)
  await page.goto('/console/account/sessions')
  await page
    .getByRole('row')
    .filter({ hasText: 'Chrome' })
    .filter({ hasNotText: 'This browser' })
    .getByRole('button', { name: 'End' })
    .click()
  await server.shell(`${await command(page.getByRole('dialog'))} --yes`)
  await other.page.reload()
  await other.page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await other.context.close()
})

test('push, run and delete a function', async () => {
  await page.goto('/console/functions/new')
  await page.getByLabel('Namespace').fill('math')
  await page.getByLabel('Name', { exact: true }).fill('double')
  await page.getByLabel('Description').fill('Doubles a number')
  await page.getByLabel('Time limit').fill('7')
  const code = await page.getByRole('textbox', { name: 'Code' }).inputValue()
  await server.shell(await command(page), { 'handler.py': code })
  const fn = await server.api<{ id: string }>('GET', '/api/v1/functions/math:double')
  expect(fn).toMatchObject({ description: 'Doubles a number', version: { timeout_seconds: 7, code } })

  await page.goto(`/console/functions/${fn.id}?tab=test`)
  await page.getByRole('textbox', { name: 'Input' }).fill('{"n": 21}')
  expect(await server.shell(await command(page))).toContain('"twice"')

  await page.goto(`/console/functions/${fn.id}`)
  await server.shell(await command(page), { 'handler.py': code.replace('twice', 'double') })
  expect(await server.api('GET', `/api/v1/functions/${fn.id}`)).toMatchObject({ versions: 2 })

  await page.goto(`/console/functions/${fn.id}?panel=delete`)
  await server.shell(`${await command(page.getByRole('dialog'))} --yes`)
  await page.goto('/console/functions')
  await page.getByText('No functions yet').waitFor()
})

test('what empty places suggest, and the proof of a fact offline', async () => {
  await page.goto('/console/audit?kind=agent.killed')
  await page.getByRole('link', { name: 'agent.killed' }).click()
  await page.getByText('Check it without this server').click()
  const shown = (await page.getByRole('region', { name: 'Command' }).textContent()) ?? ''
  expect(await server.shell(shown)).not.toBe('')
})
