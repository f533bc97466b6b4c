import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
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
const at = '/api/v1/collections/reports/files/2026/big%20one.bin'
/** More than two parts, and no two alike. */
const large = Buffer.from(Uint32Array.from({ length: 2_500_000 }, (_, at) => at).buffer)

test('a collection is made and changed, and only what differs is sent', async () => {
  await page.goto('/console/')
  await page.getByRole('link', { name: 'Files', exact: true }).click()
  await heading('Files')
  await button('Make a collection').click()
  const form = page.getByRole('dialog', { name: 'Make a collection' })
  await form.getByLabel('Name', { exact: true }).fill('reports')
  await form.getByLabel('Versions of a file that are kept').fill('5')
  await form.getByRole('button', { name: 'Make a collection' }).click()
  await heading('reports')
  expect(await server.api('GET', '/api/v1/collections/reports')).toMatchObject({
    versions_kept: 5,
    default_visibility: 'private',
    content_types: [],
  })
  await button('Edit').click()
  const edit = page.getByRole('dialog', { name: 'Change reports' })
  await edit.getByLabel('Description').fill('Found at night')
  const sent = page.waitForRequest((request) => request.method() === 'PATCH')
  await edit.getByRole('button', { name: 'Save changes' }).click()
  expect((await sent).postDataJSON()).toEqual({ description: 'Found at night' })
  await edit.waitFor({ state: 'detached' })
  await page.getByText('Found at night').waitFor()
})

test('a large file goes up in parts, over a cut, and comes down as it was', async () => {
  let parts = 0
  // The second part never arrives at its first attempt.
  await page.route('**/api/v1/uploads/*', (route) => {
    if (route.request().method() === 'PATCH' && ++parts === 2) return route.abort('connectionreset')
    return route.continue()
  })
  await button('Upload a file').click()
  const form = page.getByRole('dialog', { name: 'Upload a file' })
  await form.getByLabel('File', { exact: true }).setInputFiles({
    name: 'big.bin',
    mimeType: 'application/octet-stream',
    buffer: large,
  })
  await form.getByLabel('Name in the collection').fill('2026/big one.bin')
  await form.getByLabel('Tags').fill('night, mail')
  await form.getByRole('button', { name: 'Upload a file' }).click()
  await heading('2026/big one.bin')
  await page.unroute('**/api/v1/uploads/*')
  expect(parts).toBe(4)
  expect(await server.api('GET', at)).toMatchObject({
    size: large.length,
    sha256: createHash('sha256').update(large).digest('hex'),
    tags: ['night', 'mail'],
  })
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download', exact: true }).click()
  const kept = await download
  expect(kept.suggestedFilename()).toBe('big one.bin')
  expect((await readFile(await kept.path())).equals(large)).toBe(true)
})

test('what is said of a file is changed, and only what differs is sent', async () => {
  await button('Edit').click()
  const form = page.getByRole('dialog', { name: 'Change 2026/big one.bin' })
  expect(await form.getByLabel('Tags').inputValue()).toBe('night, mail')
  await form.getByLabel('Tags').fill('night')
  await form.getByLabel('Visibility').selectOption('Organization')
  await form.getByLabel('Metadata').fill('{"status": "final"')
  await form.getByText('This is not a JSON object yet.').first().waitFor()
  await form.getByLabel('Metadata').fill('{"status": "final"}')
  const sent = page.waitForRequest((request) => request.method() === 'PATCH')
  await form.getByRole('button', { name: 'Save changes' }).click()
  expect((await sent).postDataJSON()).toEqual({
    tags: ['night'],
    visibility: 'organization',
    metadata: { status: 'final' },
  })
  await form.waitFor({ state: 'detached' })
  expect(await server.api('GET', at)).toMatchObject({ tags: ['night'], visibility: 'organization' })
  await page.getByText('"status": "final"').waitFor()
})

test('an older version is put in front again', async () => {
  const response = await fetch(`${server.url}${at}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${await server.token()}`, 'content-type': 'text/html' },
    body: '<script>document.title = "run"</script>',
  })
  expect(response.status).toBe(200)
  await page.reload()
  await page.getByRole('link', { name: 'Versions' }).click()
  await page.getByText('present', { exact: true }).waitFor()
  await button('Restore').click()
  await expect.poll(() => server.api('GET', at)).toMatchObject({ number: 3, size: large.length })
  await page.getByRole('cell', { name: '3', exact: true }).waitFor()
})

test('a link is made, opens an attachment and never a page of ours, and is ended', async () => {
  await page.getByRole('link', { name: 'Links' }).click()
  await page.getByText('No link opens it').waitFor()
  const response = await fetch(`${server.url}${at}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${await server.token()}`, 'content-type': 'text/html' },
    body: '<script>document.title = "run"</script>',
  })
  expect(response.status).toBe(200)
  await page.reload()
  await button('Make a link').click()
  const form = page.getByRole('dialog', { name: 'Make a link' })
  await form.getByLabel('Opens for').selectOption('a day')
  await form.getByRole('button', { name: 'Make a link' }).click()
  const url = (await form.getByRole('region', { name: 'Make a link' }).textContent()) ?? ''
  expect(url).toMatch(/\/files\/[\w-]{118}$/)
  // Opened as a page it is a download, and nothing of it runs.
  const other = await mine.page.context().newPage()
  const download = other.waitForEvent('download')
  await other.goto(url).catch(() => undefined)
  expect((await download).suggestedFilename()).toBe('big one.bin')
  expect(await other.title()).not.toBe('run')
  await other.close()
  await page.keyboard.press('Escape')
  await form.waitFor({ state: 'detached' })
  await page.getByRole('row').nth(1).waitFor()
  await button('End the link').click()
  await page.getByRole('dialog').getByRole('button', { name: 'End the link' }).click()
  await page.getByText('No link opens it').waitFor()
  expect((await fetch(url)).status).toBe(404)
})

test('a file goes with its name typed, and then its collection', async () => {
  await page.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Remove' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Type 2026/big one.bin to confirm').fill('2026/big one.bin')
  await dialog.getByRole('button', { name: 'Remove' }).click()
  await heading('reports')
  await page.getByText('No files that you may see').waitFor()
  await page.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Remove' }).click()
  await dialog.getByLabel('Type reports to confirm').fill('reports')
  await dialog.getByRole('button', { name: 'Remove' }).click()
  await heading('Files')
  await page.getByText('No collections yet').waitFor()
})
