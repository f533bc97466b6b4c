/** Packages: asked for, approved, refused, removed, named by a function. */

import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signIn, signInAs, startBrowser, type Visit, visit } from '../browser'
import { looksRight } from '../look'
import { type Server, startServer } from '../server'

let server: Server
let browser: Browser
let mine: Visit
let page: Page
beforeAll(async () => {
  server = await startServer({ Mia: 'member', Vic: 'viewer' })
  browser = await startBrowser()
  mine = await visit(browser, server)
  page = mine.page
  await signIn(server, mine)
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

const row = (name: string) => page.getByRole('row').filter({ hasText: name })
const button = (name: string) => page.getByRole('button', { name, exact: true })

test('a package is asked for and approved', async () => {
  await page.goto('/console/')
  await page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Packages' }).click()
  await page.getByRole('heading', { name: 'No packages yet' }).waitFor()
  await button('Ask for a package').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Package').fill('Polite.Words')
  await dialog.getByLabel('What for').fill('To be polite.')
  await dialog.getByText('The same from a terminal').click()
  await dialog.getByRole('button', { name: 'Ask for a package' }).click()
  await row('polite-words').getByText('Requested').waitFor()
  await row('polite-words').getByRole('button', { name: 'Approve' }).click()
  await row('polite-words').getByText('Approved').waitFor()
  await looksRight(page, 'packages')
})

test('one that is refused says why, and one that is removed is gone', async () => {
  await row('polite-words').getByRole('button', { name: 'More actions: polite-words' }).click()
  await page.getByRole('menuitem', { name: 'Refuse' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Why').fill('Not maintained.')
  await dialog.getByRole('button', { name: 'Refuse' }).click()
  await row('polite-words').getByText('Refused').waitFor()
  await row('polite-words').getByText('Not maintained.').waitFor()
  await row('polite-words').getByRole('button', { name: 'More actions: polite-words' }).click()
  await page.getByRole('menuitem', { name: 'Remove' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await page.getByRole('heading', { name: 'No packages yet' }).waitFor()
})

test('a function that names a package which is not approved is told so at its field', async () => {
  await page.goto('/console/functions/new')
  await page.getByLabel('Name', { exact: true }).fill('polite')
  await page.getByLabel('Packages').fill('polite-words>=1')
  await page.getByText('The same from a terminal').click()
  const [command] = await page.locator('.equivalent pre').allTextContents()
  expect(command).toContain("--require 'polite-words>=1'")
  await button('Create function').click()
  await page.getByText('polite-words is not approved', { exact: false }).first().waitFor()
  await looksRight(page, 'function-packages')
})

test('who may only look asks for nothing; who may ask does not decide', async () => {
  await server.api('POST', '/api/v1/packages', { name: 'waiting' })
  const closed = (of: Page, name: string) =>
    of.locator('button[aria-disabled="true"]').filter({ hasText: name }).first().waitFor()
  const viewer = await visit(browser, server)
  await signInAs(server, viewer, server.people.Vic)
  await viewer.page.goto('/console/packages')
  await closed(viewer.page, 'Ask for a package')
  await closed(viewer.page, 'Approve')
  const member = await visit(browser, server)
  await signInAs(server, member, server.people.Mia)
  await member.page.goto('/console/packages')
  await closed(member.page, 'Approve')
  await member.page.getByRole('button', { name: 'Ask for a package' }).click()
  await member.page.getByRole('dialog').waitFor()
})
