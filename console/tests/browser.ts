/** A real Chromium, and what every test does with it. */

import { existsSync } from 'node:fs'
import { delimiter, extname, join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import type { Person, Server } from './server'

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export function startBrowser(): Promise<Browser> {
  const executablePath = ['chromium', 'chromium-browser', 'google-chrome']
    .flatMap((name) => (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name)))
    .find(existsSync)
  if (!executablePath) throw new Error('no Chromium on the path; scripts/setup.sh chromium installs it')
  return chromium.launch({ executablePath, headless: true, args: flags })
}

export interface Look {
  theme?: 'light' | 'dark'
  width?: number
}

export interface Visit {
  page: Page
  context: BrowserContext
  /** Errors and refusals of the page's policy that the console of the browser showed. */
  complaints: string[]
}

export async function visit(
  browser: Browser,
  server: Server,
  { theme = 'light', width = 1440 }: Look = {},
): Promise<Visit> {
  const context = await browser.newContext({
    baseURL: server.url,
    viewport: { width, height: width < 500 ? 844 : 900 },
    colorScheme: theme,
    reducedMotion: 'reduce',
    locale: 'en-US',
  })
  // Long enough for two busy cores; a test that fails waits, one that passes does not.
  context.setDefaultTimeout(30_000)
  if (process.env.SAFECONDUCT_CONSOLE) await serveConsole(context, process.env.SAFECONDUCT_CONSOLE)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    // A refused request is logged by the browser itself; the page shows it as it should.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text())
  })
  return { page, context, complaints }
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

/**
 * Puts the console of a folder in the place of the one that the server was built with, so that a new one is tried without
 * building the server again. Redirects and the policy of the page stay the server’s; files go unpacked, so sizes mean nothing.
 */
async function serveConsole(context: BrowserContext, folder: string): Promise<void> {
  await context.route(/^[^?#]*\/console\//, async (route) => {
    const name = new URL(route.request().url()).pathname.replace('/console/', '')
    const found = name !== '' && existsSync(join(folder, name))
    const response = await route.fetch({ maxRedirects: 0 })
    // Behind a redirect the browser asks the server itself; that page's own files are the server's as well.
    const isRedirect = response.status() < 400 && response.status() >= 300
    if (!found && (isRedirect || name.startsWith('assets/'))) return route.fulfill({ response })
    const path = join(folder, found ? name : 'index.html')
    const { 'content-security-policy': policy = '' } = response.headers()
    await route.fulfill({
      status: 200,
      path,
      headers: {
        'content-type': types[extname(path)] ?? 'application/octet-stream',
        'content-security-policy': policy,
      },
    })
  })
}

/** Signs in as a person would: opens the link, presses the button. */
export async function signIn(server: Server, { page }: Visit): Promise<void> {
  await page.goto(await server.link())
  await page.getByRole('button', { name: 'Enter the console' }).click()
  await page.getByRole('heading', { name: 'Home', level: 1 }).waitFor()
}

/** Signed in as somebody who was enrolled: with the cookie that their sign-in left. */
export async function signInAs(
  server: Server,
  { context }: Visit,
  person: Person | undefined,
): Promise<void> {
  if (!person) throw new Error('nobody of this name was enrolled')
  await context.addCookies([
    { name: 'safeconduct_dev', value: person.cookie, url: server.url, httpOnly: true, sameSite: 'Strict' },
  ])
}
