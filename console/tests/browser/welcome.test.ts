import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signIn, startBrowser, visit } from '../browser'
import { type Server, startServer } from '../server'

let server: Server
let browser: Browser
beforeAll(async () => {
  server = await startServer()
  browser = await startBrowser()
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

test('the first owner comes in by the link, which then is spent', async () => {
  const mine = await visit(browser, server)
  const { page, context, complaints } = mine
  const link = await server.link()
  const secret = link.split('#')[1] ?? ''

  // Opening the page, as a preview would, spends nothing and hides the secret at once.
  await page.goto(link)
  await page.getByRole('heading', { name: 'Welcome' }).waitFor()
  expect(page.url()).toBe(`${server.url}/console/welcome`)
  expect(await page.evaluate(() => document.documentElement.outerHTML)).not.toContain(secret)
  await page.close()

  const again = await context.newPage()
  await again.goto(link)
  await again.getByRole('button', { name: 'Enter the console' }).click()
  await again.getByRole('heading', { name: 'Home', level: 1 }).waitFor()
  await again.getByText('First steps').waitFor()

  const [cookie] = await context.cookies()
  expect(cookie).toMatchObject({ name: 'safeconduct_dev', httpOnly: true, sameSite: 'Strict' })
  expect(
    await again.evaluate(() => [Object.keys(localStorage), Object.keys(sessionStorage), document.cookie]),
  ).toEqual([[], [], ''])

  const late = await visit(browser, server)
  await late.page.goto(link)
  await late.page.getByRole('button', { name: 'Enter the console' }).click()
  const refusal = late.page.getByRole('alert')
  await refusal.getByText(/req_/).waitFor()
  expect(await late.context.cookies()).toEqual([])
  expect([...complaints, ...late.complaints]).toEqual([])
  await late.context.close()
  await context.close()
})

test('whoever is not signed in learns how, at the address that was asked for', async () => {
  const { page, context, complaints } = await visit(browser, server)
  await page.goto('/console/agents?status=active')
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await page.getByText('safeconduct admin link').waitFor()
  expect(page.url()).toBe(`${server.url}/console/agents?status=active`)
  await page.goto('/console/welcome')
  await page.getByRole('heading', { name: 'This address holds no link' }).waitFor()
  expect(complaints).toEqual([])
  await context.close()
})

test('the account menu says who is in, lists sessions, and signs out', async () => {
  const elsewhere = await visit(browser, server)
  await signIn(server, elsewhere)
  const mine = await visit(browser, server)
  const { page, context } = mine
  await signIn(server, mine)
  await page.getByRole('button', { name: /^Account of/ }).press('Enter')
  await page.getByText('operator, owner').waitFor()
  // The menu took the focus; the arrow keys move in it.
  await page.locator('[role=menuitem]:focus').waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Sessions', level: 1 }).waitFor()
  const here = page.getByRole('row').filter({ hasText: 'This browser' })
  await here.getByRole('button', { name: /^End/ }).press('Enter')
  await here.getByText('sign out instead').waitFor({ state: 'attached' })

  const others = page.getByRole('row').filter({ hasNotText: 'This browser' }).filter({ hasText: 'ses_' })
  for (let left = await others.count(); left > 0; left--) {
    await others.first().getByRole('button', { name: /^End/ }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'End' }).click()
    await expect.poll(() => others.count()).toBe(left - 1)
  }
  await elsewhere.page.reload()
  await elsewhere.page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await elsewhere.context.close()

  await page.getByRole('button', { name: /^Account of/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await page.goto('/console/')
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await context.close()
})

test('theme and language are kept, and nothing else', async () => {
  const mine = await visit(browser, server)
  const { page, context } = mine
  await signIn(server, mine)
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)
  const light = await background()
  await page.getByRole('button', { name: 'Theme and language' }).click()
  await page.getByRole('menuitemradio', { name: 'Dark' }).click()
  expect(await background()).not.toBe(light)
  await page.getByRole('button', { name: 'Theme and language' }).click()
  await page.getByRole('menuitemradio', { name: 'Deutsch' }).click()
  await page.getByRole('heading', { name: 'Start', level: 1 }).waitFor()
  await page.reload()
  await page.getByRole('heading', { name: 'Start', level: 1 }).waitFor()
  expect(await background()).not.toBe(light)
  expect(await page.evaluate(() => ({ ...localStorage }))).toEqual({ theme: 'dark', language: 'de' })
  await context.close()
})

test('the palette opens by keyboard and leads to places', async () => {
  const mine = await visit(browser, server)
  const { page, context, complaints } = mine
  await signIn(server, mine)
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill('aud')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Audit', level: 1 }).waitFor()
  await page.keyboard.press('Control+k')
  await page.keyboard.press('Escape')
  await page.getByRole('combobox', { name: 'Search and jump' }).waitFor({ state: 'detached' })
  expect(complaints).toEqual([])
  await context.close()
})

test('the first load brings no more script than it may, and nothing from elsewhere', async () => {
  const mine = await visit(browser, server)
  const { page, context } = mine
  await signIn(server, mine)
  await page.goto('/console/')
  await page.getByText('First steps').waitFor()
  const loaded = await page.evaluate(() =>
    (performance.getEntriesByType('resource') as PerformanceResourceTiming[]).map(
      ({ name, encodedBodySize }) => ({
        name,
        encodedBodySize,
      }),
    ),
  )
  expect(loaded.filter(({ name }) => !name.startsWith(server.url))).toEqual([])
  const script = loaded.filter(({ name }) => name.endsWith('.js'))
  expect(script.length).toBeGreaterThan(1)
  expect(script.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)).toBeLessThan(150 * 1024)
  await context.close()
})
