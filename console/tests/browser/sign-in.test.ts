/** Every way in that the server has, as a person walks it; and the way into a command line. */

import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codeOf, scanned, withPasskeys } from '../authenticator'
import { startBrowser, type Visit, visit } from '../browser'
import { looksRight } from '../look'
import { type Server, startServer } from '../server'

const ADA = 'ada@example.com'
const BEA = 'bea@example.com'
const PASSWORD = 'tangerine submarine four'
/** Recovery codes of Ada's that nothing used yet. */
const spare: string[] = []

let server: Server
let browser: Browser
beforeAll(async () => {
  server = await startServer(
    { [`Ada<${ADA}>`]: 'admin', [`Bea<${BEA}>`]: 'member@acme' },
    {},
    { named: true },
  )
  browser = await startBrowser()
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

const provider = (body: object) => server.api('POST', '/api/v1/auth-providers', { instance: true, ...body })
const home = (page: Page) => page.getByRole('heading', { name: 'Home', level: 1 }).waitFor()
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })

/** The six digits of the next letter. */
async function code(address: string): Promise<string> {
  return /^\s*(\d{6})\s*$/m.exec(await server.letter(address))?.[1] ?? 'no code in the letter'
}

async function byCode({ page }: Visit, at = '/console/', address = ADA): Promise<void> {
  await page.goto(at)
  const other = page.getByRole('button', { name: 'Sign in by Code by e-mail' })
  await page.getByLabel('E-mail address').first().waitFor()
  if (await other.isVisible()) await other.click()
  await page.getByLabel('E-mail address').fill(address)
  await button(page, 'Go on').click()
  await page.getByLabel('Code', { exact: true }).fill(await code(address))
  await button(page, 'Sign in').click()
}

test('without a provider the page says what to do', async () => {
  const { page, context, complaints } = await visit(browser, server)
  await page.goto('/console/sign-in')
  await page.getByText('safeconduct admin link').waitFor()
  await looksRight(page, 'sign-in-none')
  expect(complaints).toEqual([])
  await context.close()
})

test('what a provider’s way back ended in is said, with its code, and leaves the address', async () => {
  const { page, context, complaints } = await visit(browser, server)
  await page.goto('/console/sign-in?org=acme#error=sign_in_refused')
  const said = page.getByRole('alert')
  await said.getByText('You were not signed in').waitFor()
  await said.getByText('you have no account here').waitFor()
  expect(page.url()).toMatch(/\/console\/sign-in\?org=acme$/)
  await looksRight(page, 'sign-in-refused')
  await said.getByRole('link', { name: 'sign_in_refused' }).click()
  await page.getByText('That did not sign you in').first().waitFor()

  await page.goto('/console/sign-in#error=quite_another')
  await said.getByText('The sign-in did not succeed').waitFor()
  expect(await said.getByRole('link').getAttribute('href')).toBe('/docs/errors/quite_another')
  await page.goto('about:blank')
  await page.goto('/console/sign-in#error=<b>Call%20us</b>')
  await page.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor()
  await page.getByText('Sign in to a certain organization').waitFor()
  expect(await said.count()).toBe(0)
  expect(complaints).toEqual([])
  await context.close()
})

test('a code by e-mail; a wrong one is refused, and the address that was asked for is kept', async () => {
  await provider({ name: 'mail', kind: 'otp', display_name: 'Code by e-mail' })
  const mine = await visit(browser, server)
  const { page, context, complaints } = mine
  await page.goto('/console/agents?status=active')
  await page.getByLabel('E-mail address').fill(ADA)
  await page.keyboard.press('Enter')
  const right = await code(ADA)
  const field = page.getByLabel('Code', { exact: true })
  await expect.poll(() => field.evaluate((input) => input === document.activeElement)).toBe(true)
  await field.fill(right === '000000' ? '000001' : '000000')
  await button(page, 'Sign in').click()
  await page.getByRole('alert').getByText(/req_/).waitFor()
  await looksRight(page, 'sign-in-code')
  await field.fill(right)
  await button(page, 'Sign in').click()
  await page.getByRole('heading', { name: 'Agents', level: 1 }).waitFor()
  expect(page.url()).toBe(`${server.url}/console/agents?status=active`)
  expect(complaints).toEqual([])

  await page.goto('/console/account/sessions')
  await page.getByRole('row').filter({ hasText: 'This browser' }).getByText('Code by e-mail').waitFor()
  await context.close()
})

test('a link of somebody else leads nowhere but into the console', async () => {
  for (const [wanted, found] of [
    ['https://evil.example/', '/console/'],
    ['/console/runs?status=failed', '/console/runs?status=failed'],
  ] as const) {
    const mine = await visit(browser, server)
    await byCode(mine, `/console/sign-in?return_to=${encodeURIComponent(wanted)}`, BEA)
    await mine.page.getByRole('main').getByRole('heading', { level: 1 }).waitFor()
    await mine.page.waitForURL(`${server.url}${found}`)
    await mine.context.close()
  }
})

test('a provider of one organization is offered to those who ask for it', async () => {
  const { page, context } = await visit(browser, server)
  await page.goto('/console/')
  await page.getByText('Sign in to a certain organization').click()
  await page.getByLabel('Short name of the organization').fill('nowhere')
  await button(page, 'Show its ways in').click()
  await page.getByRole('alert').waitFor()
  await button(page, 'Change').click()
  await page.getByLabel('E-mail address').waitFor()
  await page.goto('/console/sign-in?org=acme')
  await page.getByText('acme').waitFor()
  await page.getByLabel('E-mail address').fill(BEA)
  await button(page, 'Go on').click()
  await page.getByLabel('Code', { exact: true }).fill(await code(BEA))
  await button(page, 'Sign in').click()
  await home(page)
  await page.getByText('acme', { exact: true }).waitFor()
  await context.close()
})

describe('with a password', () => {
  test('a forgotten one is set by the link of a letter, which works once', async () => {
    await provider({ name: 'password', kind: 'password', display_name: 'Password' })
    const { page, context, complaints } = await visit(browser, server)
    await page.goto('/console/')
    await page.getByRole('button', { name: 'Sign in by Password' }).click()
    await page.getByRole('link', { name: 'Forgot your password?' }).click()
    await page.getByLabel('E-mail address').fill(ADA)
    await button(page, 'Send the letter').click()
    await page.getByText(`If ${ADA} has an account here`, { exact: false }).waitFor()
    const link = /http:\S+\/console\/reset#\S+/.exec(await server.letter(ADA))?.[0] ?? 'no link'

    await page.goto(link)
    await page.getByLabel('New password').waitFor()
    expect(page.url()).toBe(`${server.url}/console/reset`)
    await page.getByLabel('New password').fill('password1234')
    await button(page, 'Set password').click()
    await page.getByRole('alert').waitFor()
    await looksRight(page, 'reset-refused')
    await page.getByLabel('Show what I type').check()
    await page.getByLabel('New password').fill(PASSWORD)
    await button(page, 'Set password').click()
    await page.getByText('The new password is set').waitFor()

    const late = await context.newPage()
    await late.goto(link)
    await late.getByLabel('New password').fill(PASSWORD)
    await button(late, 'Set password').click()
    await late.getByRole('alert').getByText(/req_/).waitFor()
    expect(complaints).toEqual([])
    await context.close()
  })

  test('it signs in; a wrong one says nothing of what was wrong', async () => {
    const { page, context } = await visit(browser, server)
    await page.goto('/console/')
    await page.getByRole('button', { name: 'Sign in by Password' }).click()
    const refusals: string[] = []
    for (const login of [ADA, 'nobody@example.com']) {
      await page.getByLabel('E-mail address or user name').fill(login)
      await page.getByLabel('Password', { exact: true }).fill('not the right one')
      await button(page, 'Sign in').click()
      const refusal = page.getByRole('alert')
      await refusal.getByText(/req_/).waitFor()
      refusals.push((await refusal.locator('p').first().textContent()) ?? '')
      await page.reload()
      await page.getByRole('button', { name: 'Sign in by Password' }).click()
    }
    expect(refusals[0]).toBe(refusals[1])
    await page.getByLabel('E-mail address or user name').fill(ADA)
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await button(page, 'Sign in').click()
    await home(page)
    await context.close()
  })
})

describe('with further factors', () => {
  let mine: Visit
  let secret = ''
  let codes: string[] = []
  beforeAll(async () => {
    mine = await visit(browser, server)
    await withPasskeys(mine.page)
    await byCode(mine)
    await home(mine.page)
  })
  afterAll(() => mine.context.close())

  test('an app is set up by its QR code and brings recovery codes, shown once', async () => {
    const { page, complaints } = mine
    await page.goto('/console/account/security')
    await page.getByText('No further factor yet').waitFor()
    await button(page, 'Add authenticator app').click()
    // Ada has a password and came by code: that one alone is not all she has.
    await confirmBy(page, 'Password', PASSWORD)
    const dialog = page.getByRole('dialog', { name: 'Add authenticator app' })
    const uri = await scanned(dialog.getByRole('img', { name: 'QR code' }))
    secret = /^otpauth:\/\/totp\/.*[?&]secret=([A-Z2-7]+)/.exec(uri ?? '')?.[1] ?? ''
    expect(secret).toHaveLength(32)
    await dialog.getByLabel('Label').fill('Phone')
    await dialog.getByLabel('Code', { exact: true }).fill('000000')
    await dialog.getByRole('button', { name: 'Set up' }).click()
    await dialog.getByRole('alert').waitFor()
    await looksRight(page, 'new-app')
    await dialog.getByLabel('Code', { exact: true }).fill(codeOf(secret))
    await dialog.getByRole('button', { name: 'Set up' }).click()
    const shown = page.getByRole('dialog', { name: 'Keep these codes now' })
    codes = ((await shown.getByRole('region', { name: 'Recovery codes' }).textContent()) ?? '').split('\n')
    expect(codes).toHaveLength(10)
    await shown.getByRole('button', { name: 'I have kept it' }).click()
    await page.getByText('10 codes are left.').waitFor()
    expect(await page.content()).not.toContain(codes[0])
    expect(complaints).toEqual([])
  })

  test('then a password is half a sign-in; an app or a recovery code is the other', async () => {
    for (const way of ['totp', 'recovery']) {
      const { page, context } = await visit(browser, server)
      await page.goto('/console/runs')
      await page.getByRole('button', { name: 'Sign in by Password' }).click()
      await page.getByLabel('E-mail address or user name').fill(ADA)
      await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
      await button(page, 'Sign in').click()
      if (way === 'recovery') await button(page, 'Use a recovery code').click()
      const field = page.getByLabel(way === 'recovery' ? 'Recovery code' : 'Code', { exact: true })
      await field.fill('0000-00000')
      await button(page, 'Sign in').click()
      await page.getByRole('alert').waitFor()
      expect(await context.cookies()).toEqual([])
      await looksRight(page, 'second-factor')
      await field.fill(way === 'recovery' ? (codes[0] ?? '') : codeOf(secret, 1))
      await button(page, 'Sign in').click()
      await page.getByRole('heading', { name: 'Runs', level: 1 }).waitFor()
      await context.close()
    }
  })

  test('a passkey is made, renamed and signs in alone', async () => {
    await provider({ name: 'passkey', kind: 'passkey', display_name: 'Passkey' })
    const { page, context } = mine
    await page.goto('/console/account/security')
    await button(page, 'Add passkey').click()
    const dialog = page.getByRole('dialog', { name: 'Add passkey' })
    await dialog.getByLabel('Label').fill('Laptop')
    await dialog.getByRole('button', { name: 'Make passkey' }).click()
    await page.getByText('Laptop').waitFor()
    await page.getByRole('button', { name: 'Actions for Laptop' }).click()
    await page.getByRole('menuitem', { name: 'Rename' }).click()
    await page.getByRole('dialog').getByLabel('Label').fill('Old laptop')
    await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click()
    await page.getByText('Old laptop').waitFor()
    await looksRight(page, 'security')

    await context.clearCookies()
    await page.goto('/console/')
    await page.getByRole('button', { name: 'Sign in by Passkey' }).click()
    await home(page)
    await page.goto('/console/account/sessions')
    await page.getByRole('row').filter({ hasText: 'This browser' }).getByText('Passkey').waitFor()
  })

  test('new codes void the old, and a factor is removed by its name', async () => {
    const { page } = mine
    await page.goto('/console/account/security')
    await button(page, 'Make new codes').click()
    await page.getByRole('dialog').getByRole('button', { name: 'Make new codes' }).click()
    const shown = page.getByRole('dialog', { name: 'Keep these codes now' })
    const fresh = ((await shown.getByRole('region', { name: 'Recovery codes' }).textContent()) ?? '').split(
      '\n',
    )
    expect(fresh.filter((one) => codes.includes(one))).toEqual([])
    spare.push(...fresh)
    await shown.getByRole('button', { name: 'I have kept it' }).click()
    await page.getByRole('button', { name: 'Actions for Old laptop' }).click()
    await page.getByRole('menuitem', { name: 'Remove' }).click()
    const dialog = page.getByRole('dialog', { name: 'Remove Old laptop?' })
    const remove = dialog.getByRole('button', { name: 'Remove' })
    expect(await remove.getAttribute('aria-disabled')).toBe('true')
    await dialog.getByLabel('Type Old laptop').fill('Old laptop')
    await remove.click()
    await dialog.waitFor({ state: 'detached' })
    await expect.poll(() => page.getByText('Old laptop').count()).toBe(0)
  })

  test('ending all sessions ends this one, too', async () => {
    const { page } = mine
    await page.goto('/console/account/sessions')
    await button(page, 'End all sessions').click()
    await page.getByRole('dialog').getByRole('button', { name: 'End all sessions' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  })
})

/** In the dialog that asks for a confirmation. */
async function confirmBy(page: Page, way: string, proof: string): Promise<void> {
  const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' })
  await dialog.waitFor()
  const choice = dialog.getByRole('radio', { name: way })
  if (await choice.count()) await choice.check()
  await looksRight(page, 'step-up')
  await dialog.getByRole('textbox').or(dialog.locator('input[type=password]')).fill(proof)
  await dialog.getByRole('button', { name: 'Confirm' }).click()
  await dialog.waitFor({ state: 'detached' })
}

describe('a command line', () => {
  let mine: Visit
  beforeAll(async () => {
    mine = await visit(browser, server)
  })
  afterAll(() => mine.context.close())

  /** Ada has an app and recovery codes by now; the code by e-mail is half of her sign-in. */
  const asAda = async (page: Page) => {
    await page.getByLabel('E-mail address').first().waitFor()
    await page.getByLabel('E-mail address').fill(ADA)
    await button(page, 'Go on').click()
    await page.getByLabel('Code', { exact: true }).fill(await code(ADA))
    await button(page, 'Sign in').click()
    await button(page, 'Use a recovery code').click()
    await page.getByLabel('Recovery code').fill(spare.pop() ?? '')
    await button(page, 'Sign in').click()
  }

  test('is let in by its code, after whoever opens the page has signed in there', async () => {
    const { page, complaints } = mine
    const line = await server.commandLine('login', '--device')
    const shown = (await line.says(/Enter\s+(\S+)/))[1] ?? ''
    await page.goto('/console/device')
    await asAda(page)
    await page.getByRole('heading', { name: 'Let a device in' }).waitFor()
    await page.getByLabel('Code', { exact: true }).fill('BBBB-BBBB')
    await button(page, 'See who asks').click()
    await page.getByRole('alert').getByText(/req_/).waitFor()
    await page.getByLabel('Code', { exact: true }).fill(shown.toLowerCase())
    await button(page, 'See who asks').click()
    await page.getByText(/^safeconduct\S*\//).waitFor()
    await page.getByText('127.0.0.1').waitFor()
    await page.getByText('It will act as Ada').waitFor()
    await looksRight(page, 'device')
    await button(page, 'Approve').click()
    await page.getByRole('heading', { name: 'Let in' }).waitFor()
    const { code, said } = await line.ended
    expect(said).toContain('Ada')
    expect(code).toBe(0)
    expect(complaints).toEqual([])
  })

  test('is turned away', async () => {
    const { page } = mine
    const line = await server.commandLine('login', '--device')
    const shown = (await line.says(/Enter\s+(\S+)/))[1] ?? ''
    // As the device's own link would bring it.
    await page.goto(`/console/device#${shown}`)
    await page.reload()
    expect(await page.getByLabel('Code').inputValue()).toBe(shown)
    await button(page, 'See who asks').click()
    await button(page, 'Deny').click()
    await page.getByRole('heading', { name: 'Turned away' }).waitFor()
    expect((await line.ended).code).toBe(1)
  })

  test('on this machine comes in by the address that it opens', async () => {
    const { page } = mine
    const line = await server.commandLine('login', '--no-browser')
    const [address] = await line.says(/http:\S+\/oauth2\/authorize\?\S+/)
    await page.goto(address)
    await page.getByText('Safeconduct command line').waitFor()
    await page.getByText(/127\.0\.0\.1:\d+/).waitFor()
    await looksRight(page, 'authorize')
    await button(page, 'Approve').click()
    await page.getByText('You are signed in. This page can be closed.').waitFor()
    expect((await line.ended).code).toBe(0)
    await page.goto('/console/account/sessions')
    await expect.poll(() => page.getByRole('row').filter({ hasText: 'Command line' }).count()).toBe(2)
  })
})
