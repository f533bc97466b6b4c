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
  const code = 'def handler(input, context):\n    return {"got": input}\n'
  await server.api('POST', '/api/v1/functions', { namespace: 'ops', name: 'seen', code })
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

const button = (name: string) => page.getByRole('button', { name, exact: true })
const heading = (name: string) => page.getByRole('heading', { name, level: 1 }).waitFor()

test('a hook is made with its preset, its secret shown once, and its line works', async () => {
  await page.goto('/console/')
  await page.getByRole('link', { name: 'Hooks', exact: true }).click()
  await heading('Hooks')
  await button('Make a hook').click()
  const form = page.getByRole('dialog', { name: 'Make a hook' })
  await form.getByLabel('Path').fill('github')
  await form.getByLabel('Function', { exact: true }).fill('ops:seen')
  expect(await form.getByLabel('What tells a repeat').inputValue()).toBe('X-GitHub-Delivery')
  await form.getByRole('button', { name: 'Make a hook' }).click()
  const shown = page.getByRole('dialog', { name: 'Keep this secret now' })
  const secret = (await shown.getByRole('region', { name: 'Secret' }).textContent()) ?? ''
  expect(secret).toMatch(/^[0-9A-Za-z]{43}$/)
  const line = (await shown.getByRole('region', { name: 'Try it' }).textContent()) ?? ''
  expect(await server.shell(`SECRET=${secret}\n${line}`)).toContain('{"got":{"hello":"world"}}')
  await shown.getByRole('button', { name: 'I have kept it' }).click()
  await heading('github')
  expect(await page.content()).not.toContain(secret)
  await page.getByRole('row').filter({ hasText: 'Accepted' }).waitFor()
})

test('a delivery is looked at and sent through again', async () => {
  await page.getByRole('row').filter({ hasText: 'Accepted' }).getByRole('link').first().click()
  const delivery = page.getByRole('dialog', { name: 'Delivery' })
  await delivery.getByText('{"hello": "world"}').waitFor()
  await delivery.getByRole('button', { name: 'Send through again' }).click()
  await delivery.getByText('Sent through again').waitFor()
  await page.keyboard.press('Escape')
  await expect.poll(() => page.getByRole('row').filter({ hasText: 'Accepted' }).count()).toBe(2)
})

test('it is changed: only what differs is sent, and nobody is overwritten', async () => {
  await button('Edit').click()
  const form = page.getByRole('dialog', { name: 'Change github' })
  expect(await form.getByLabel('What tells a repeat').inputValue()).toBe('X-GitHub-Delivery')
  const save = form.getByRole('button', { name: 'Save changes' })
  await form.getByLabel('Description').fill('Issues only')
  const defaults = form.getByLabel('Where the body says nothing')
  await defaults.fill('{"kind": "iss')
  await form.getByText('This is not a JSON object yet.').first().waitFor()
  await defaults.fill('{"kind": "issue"}')
  // Somebody else is faster.
  const { items } = await server.api<{ items: { id: string }[] }>('GET', '/api/v1/hooks')
  const path = `/api/v1/hooks/${items[0]?.id}`
  await server.api('PATCH', path, { concurrency: 7 })
  await save.click()
  await form.getByRole('alert').first().waitFor()
  const sent = page.waitForRequest((request) => request.method() === 'PATCH')
  await save.click()
  const input = { mode: 'body', defaults: { kind: 'issue' } }
  expect((await sent).postDataJSON()).toEqual({ description: 'Issues only', input })
  await form.waitFor({ state: 'detached' })
  await page.getByText('Issues only').waitFor()
  expect(await server.api('GET', path)).toMatchObject({ concurrency: 7, input, revision: 3 })
})

test('it is given routes, and a delivery is tried without anything coming of it', async () => {
  await button('Edit').click()
  const edit = page.getByRole('dialog', { name: 'Change github' })
  await edit.getByLabel('Routes').fill('[{"when": [{"at": "/body/action"')
  await edit.getByText('This is not a JSON list yet.').first().waitFor()
  const when = [{ at: '/body/action', is: 'equal_to', value: 'opened' }]
  const routes = [{ when, transform: { title: { $at: '/body/title' } } }]
  await edit.getByLabel('Routes').fill(JSON.stringify(routes))
  const sent = page.waitForRequest((request) => request.method() === 'PATCH')
  await edit.getByRole('button', { name: 'Save changes' }).click()
  expect((await sent).postDataJSON()).toEqual({ routes })
  await edit.waitFor({ state: 'detached' })
  const before = await page.getByRole('row').count()
  await button('More actions').click()
  await page.getByRole('menuitem', { name: 'Try a delivery' }).click()
  const form = page.getByRole('dialog', { name: 'Try a delivery' })
  await form.getByLabel('Body', { exact: true }).fill('{"action": "opened", "title": "It broke"}')
  await form.getByRole('button', { name: 'Try a delivery' }).click()
  await form.getByText('Accepted', { exact: true }).waitFor()
  await form.getByText('"title": "It broke"').first().waitFor()
  await form.getByLabel('Body', { exact: true }).fill('{"action": "closed"}')
  await form.getByRole('button', { name: 'Try a delivery' }).click()
  await form.getByText('Ignored', { exact: true }).waitFor()
  await form.getByText('Its test 0 does not hold').waitFor()
  await page.keyboard.press('Escape')
  await form.waitFor({ state: 'detached' })
  expect(await page.getByRole('row').count()).toBe(before)
})

test('it is switched off and on, its secret rotated, and it is removed', async () => {
  await button('Switch off').click()
  await page.getByText('Switched off').first().waitFor()
  await button('Switch on').click()
  await button('More actions').click()
  await page.getByRole('menuitem', { name: 'Rotate the secret' }).click()
  const asked = page.getByRole('dialog', { name: 'Rotate the secret of github?' })
  await asked.getByRole('button', { name: 'Rotate the secret' }).click()
  const shown = page.getByRole('dialog', { name: 'Keep this secret now' })
  await shown.getByRole('region', { name: 'Secret' }).waitFor()
  await shown.getByRole('button', { name: 'I have kept it' }).click()
  await button('More actions').click()
  await page.getByRole('menuitem', { name: 'Remove' }).click()
  const removing = page.getByRole('dialog', { name: 'Remove github?' })
  await removing.getByRole('textbox').fill('github')
  await removing.getByRole('button', { name: 'Remove' }).click()
  await heading('Hooks')
  await page.getByText('No hooks yet').waitFor()
})

/** What a function answers is shown by a browser, and is nobody there. */
test('a page that a hook answers cannot call the API', async () => {
  const code = `def handler(input, context):
    page = "<script>fetch('/api/v1/auth/me').then(a => document.title = 'reached ' + a.status)</script>"
    return {"headers": {"Content-Type": input.get("type", "text/html"), "Set-Cookie": "planted=1"}, "body": page}
`
  await server.api('POST', '/api/v1/functions', { namespace: 'ops', name: 'page', code })
  const { url } = await server.api<{ url: string }>('POST', '/api/v1/hooks', {
    path: 'page',
    methods: ['GET'],
    target: { function: 'ops:page' },
    authentication: { kind: 'none' },
    response: 'mapped',
  })
  const asked: string[] = []
  page.on('request', (request) => asked.push(new URL(request.url()).pathname))
  const download = page.waitForEvent('download')
  await page.goto(url).catch(() => undefined)
  expect((await download).url()).toBe(url)
  // The same where a frame is made of it.
  await page.goto('/console/')
  await heading('Home')
  await page.evaluate((url) => {
    const frame = document.createElement('iframe')
    frame.src = url
    document.body.append(frame)
  }, url)
  const xhtml = await mine.page.context().request.get(`${url}?type=application/xhtml%2Bxml`)
  expect(xhtml.headers()['content-disposition']).toBe('attachment')
  expect(xhtml.headers()['content-security-policy']).toContain('sandbox')
  expect((await page.context().cookies()).map((cookie) => cookie.name)).not.toContain('planted')
  expect(await page.title()).not.toContain('reached')
})
