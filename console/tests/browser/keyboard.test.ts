/** Three ways through the console as a newcomer goes them who has no mouse: where the focus is, and that it is never stuck. */

import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
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
  expect(mine?.complaints).toEqual([])
  await browser?.close()
  await server?.stop()
})
beforeEach(() => page.goto('/console/'))

const link = (name: string) => page.getByRole('link', { name, exact: true })
const button = (name: string, within: Page | Locator = page) =>
  within.getByRole('button', { name, exact: true })
const has = (wanted: Locator) => wanted.evaluate((element) => element === document.activeElement)
const type = (text: string) => page.keyboard.type(text)
const press = (key: string) => page.keyboard.press(key)

/** Tab by Tab, as often as somebody would have the patience for; what has the focus is always seen to have it. */
async function tabTo(wanted: Locator, { most = 40 } = {}): Promise<void> {
  await wanted.waitFor()
  for (let step = 0; step < most; step++) {
    if (await has(wanted)) {
      expect(await wanted.evaluate((element) => element.matches(':focus-visible'))).toBe(true)
      return
    }
    await press('Tab')
  }
  throw new Error(`${wanted} was not reached in ${most} steps`)
}

test('an agent is registered', async () => {
  await tabTo(link('Agents'))
  await press('Enter')
  await page.getByRole('heading', { name: 'Agents', level: 1 }).waitFor()
  await tabTo(button('Register agent'))
  await press('Enter')
  const panel = page.getByRole('dialog', { name: 'Register agent' })
  // Looked into and left again: the focus is where it was.
  await panel.waitFor()
  await press('Escape')
  await panel.waitFor({ state: 'detached' })
  expect(await has(button('Register agent'))).toBe(true)
  await press('Enter')
  // The namespace before it has a value already.
  await expect.poll(() => has(panel.getByLabel('Name', { exact: true }))).toBe(true)
  await type('triage')
  await press('Shift+Tab')
  expect(await has(panel.getByLabel('Namespace'))).toBe(true)
  await press('ControlOrMeta+a')
  await type('ops')
  await press('Enter')
  await page.getByRole('heading', { name: 'triage', level: 1 }).waitFor()
})

test('a function is written, pushed and run', async () => {
  await tabTo(link('Functions'))
  await press('Enter')
  await tabTo(button('Create function'))
  await press('Enter')
  await page.getByRole('heading', { name: 'Create function', level: 1 }).waitFor()
  const code = page.getByRole('textbox', { name: 'Code' })
  await tabTo(code)
  const before = await code.inputValue()
  // Passing through changes nothing.
  await tabTo(page.getByLabel('Name', { exact: true }), { most: 4 })
  expect(await code.inputValue()).toBe(before)
  await type('double')
  await press('Shift+Tab')
  await press('Shift+Tab')
  expect(await has(code)).toBe(true)
  await press('ControlOrMeta+End')
  await type('#')
  await press('Tab')
  await type('end')
  expect(await code.inputValue()).toBe(`${before}#    end`)
  await page.getByText('Press Escape, then Tab, to leave').waitFor()
  await press('Escape')
  await press('Tab')
  expect(await has(code)).toBe(false)
  await tabTo(button('Create function'))
  await press('Enter')
  await page.getByRole('heading', { name: /:double$/, level: 1 }).waitFor()

  const input = page.getByRole('textbox', { name: 'Input' })
  await tabTo(input)
  await press('ControlOrMeta+a')
  await type('{"n": 21}')
  await press('Escape')
  await tabTo(button('Run'), { most: 4 })
  await press('Enter')
  await page.getByRole('region', { name: 'Output' }).getByText('"twice": 42').waitFor()
})

test('a person is invited', async () => {
  await tabTo(link('People'))
  await press('Enter')
  await tabTo(button('Invite'))
  await press('Enter')
  const form = page.getByRole('dialog', { name: 'Invite' })
  await tabTo(form.getByLabel('E-mail'), { most: 2 })
  await type('ada@example.org')
  await tabTo(form.getByRole('checkbox', { name: /^viewer/ }), { most: 10 })
  await press('Space')
  await press('Enter')
  const shown = page.getByRole('dialog', { name: 'Send this link to ada@example.org' })
  // One Enter too many does not lose what is shown only this once.
  await expect.poll(() => has(shown.getByRole('button', { name: /^Copy/ }))).toBe(true)
  await tabTo(button('I have copied it', shown), { most: 4 })
  await press('Enter')
  await shown.waitFor({ state: 'detached' })
  // Back where it began, not at the head of the page.
  await expect.poll(() => has(button('Invite'))).toBe(true)
  const { items } = await server.api<{ items: object[] }>('GET', '/api/v1/invitations')
  expect(items).toMatchObject([{ email: 'ada@example.org', roles: ['member', 'viewer'] }])
})
