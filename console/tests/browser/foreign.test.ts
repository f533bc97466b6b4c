/**
 * What others named and wrote. A name shows what would not be seen. What a function gives back is somebody else's content: opened in a browser that is signed in, as a document of this very
 * server, it runs no script, sets no cookie and cannot call the API.
 */

import type { Browser, Page } from 'playwright-core'
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

const attack = `<html><script>
  document.title = 'ran'
  fetch('/api/v1/agents', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"name":"planted"}' })
</script><body onload="document.title = 'ran'"><img src=x onerror="document.title = 'ran'"></body></html>`

test('an output made of HTML and script is inert in the browser of its owner', async () => {
  // The control: as a page of ours the same call goes through, so it is the layer that stops it.
  const control = await page.evaluate(async () => (await fetch('/api/v1/auth/me')).status)
  expect(control).toBe(200)

  const fn = await server.api<{ id: string }>('POST', '/api/v1/functions', {
    name: 'attack',
    code: `def handler(input, context):\n    return input["page"]\n`,
  })
  const run = await server.api<{ id: string; status: string }>('POST', `/api/v1/functions/${fn.id}/execute`, {
    input: { page: attack },
  })
  expect(run.status).toBe('succeeded')

  const answer = await page.goto(`/api/v1/runs/${run.id}/output`)
  const headers = answer?.headers() ?? {}
  expect(await answer?.text()).toContain('<script>')
  expect(headers['content-security-policy']).toMatch(/^sandbox(;|$)/)
  expect(headers['content-security-policy']).not.toContain('allow-same-origin')
  expect(headers['x-content-type-options']).toBe('nosniff')
  expect(headers['set-cookie']).toBeUndefined()

  // Not even script that is put into the document from outside has our origin or reaches the API.
  const found = await page.evaluate(async () => ({
    title: document.title,
    origin: globalThis.origin,
    scripts: document.querySelectorAll('script').length,
    call: await fetch('/api/v1/auth/me').then(
      (response) => response.status,
      () => 'blocked',
    ),
    cookie: (() => {
      try {
        return document.cookie
      } catch (error) {
        return (error as Error).name
      }
    })(),
  }))
  expect(found).toEqual({ title: '', origin: 'null', scripts: 0, call: 'blocked', cookie: 'SecurityError' })

  const agents = await server.api<{ items: unknown[] }>('GET', '/api/v1/agents')
  expect(agents.items).toEqual([])
})

test('the console shows such an output as text', async () => {
  const runs = await server.api<{ items: { id: string }[] }>('GET', '/api/v1/runs')
  await page.goto(`/console/runs/${runs.items[0]?.id}`)
  await page.getByRole('region', { name: 'Output' }).getByText('<script>').waitFor()
  expect(await page.title()).not.toBe('ran')
  expect(await page.locator('main script, main img').count()).toBe(0)
})

test('a name that turns the order of letters is shown with what turns it, wherever it stands', async () => {
  const name = 'payroll\u{202E}tbeD'
  const shown = 'payroll\\u{202E}tbeD'
  const agent = await server.api<{ id: string }>('POST', '/api/v1/agents', {
    name: 'turned',
    type: 'extractor',
    display_name: name,
  })
  await page.goto(`/console/agents/${agent.id}`)
  await page.getByRole('heading', { name: shown, level: 1 }).waitFor()
  expect(await page.title()).toContain(shown)
  await page.getByRole('button', { name: 'Suspend' }).click()
  await page.getByRole('heading', { name: `Suspend ${shown}?` }).waitFor()
  for (const path of ['/console/agents', '/console/audit']) {
    await page.goto(path)
    await page.getByRole('row').filter({ hasText: shown }).first().waitFor()
    expect(await page.locator('body').textContent()).not.toContain('\u{202E}')
  }
  expect(await page.locator('td bdi', { hasText: shown }).count()).toBeGreaterThan(0)
})
