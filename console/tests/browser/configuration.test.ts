/** Configuration as files: checked with its lines, planned, applied, written again, and held against what was done by hand. */

import { readFileSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signIn, signInAs, startBrowser, type Visit, visit } from '../browser'
import { looksRight } from '../look'
import { type Server, startServer } from '../server'

const document = (spec: string, name = 'acme') =>
  `apiVersion: safeconduct.dev/v1\nkind: Config\nmetadata:\n  name: ${name}\nspec:\n${spec}`
const roles = (permissions: string) =>
  `  roles:\n    - name: note-taker\n      permissions: [${permissions}]\n`
const spaces = '  state_namespaces:\n    - name: notes\n'
const greet = (lines: string) =>
  `  functions:\n    - namespace: ops\n      name: greet\n      code: |\n        def handler(input, context):\n${lines}`

let server: Server
let browser: Browser
let mine: Visit
let page: Page
beforeAll(async () => {
  server = await startServer({ Ada: 'auditor' })
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
const editor = () => page.getByRole('textbox', { name: 'Document' })
const change = (name: string) => page.locator('.change').filter({ hasText: name })
const planned = async (text: string) => {
  await editor().fill(text)
  await button('Plan').click()
  await page.getByRole('heading', { name: 'Plan', exact: true }).waitFor()
}
const carryOut = async () => {
  await button('Apply').click()
  const dialog = page.getByRole('dialog', { name: 'Apply this plan?' })
  await dialog.getByRole('button', { name: 'Apply', exact: true }).click()
  await page.getByText('All of it was brought about in one transaction.', { exact: false }).first().waitFor()
  await dialog.waitFor({ state: 'detached' })
}

test('its place is in Build, and its form can be tried at once', async () => {
  await page.goto('/console/')
  await page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Configuration' }).click()
  await page.getByRole('heading', { name: 'Configuration', level: 1 }).waitFor()
  expect(await button('Apply').getAttribute('data-tip')).toBe('Look at the plan of this text first')
  await button('Validate').click()
  await page.getByText('Nothing to mend', { exact: true }).waitFor()
  await button('Plan').click()
  await page.getByText('2 changes', { exact: true }).waitFor()
  await page.getByText('1 change gives or takes rights', { exact: true }).waitFor()
  await looksRight(page, 'configuration-plan')
})

test('what is wrong is marked at its line, and the line leads there', async () => {
  const first = '  roles:\n    - name: a\n      permissions: ["nothing"]\n'
  await editor().fill(document(`${first}    - name: b\n      permissions: []\n      colour: red\n`))
  await button('Validate').click()
  await page.getByText('There is something to mend', { exact: true }).waitFor()
  await expect.poll(() => page.locator('.editor li.wrong').allTextContents()).toEqual(['8', '11'])
  await page.getByRole('alert').getByText('/spec/roles/1/colour', { exact: true }).waitFor()
  await looksRight(page, 'configuration-findings')
  await page.getByRole('alert').getByRole('button', { name: 'Line 11', exact: true }).click()
  const selected = await editor().evaluate((area: HTMLTextAreaElement) =>
    area.value.slice(area.selectionStart, area.selectionEnd),
  )
  expect(selected).toBe('      colour: red')
  // A plan of it is refused with the same lines.
  await button('Plan').click()
  await page.getByRole('alert').getByText(/req_/).waitFor()
  expect(await page.locator('.editor li.wrong').allTextContents()).toEqual(['8', '11'])
  // Another text is not blamed for what was wrong with this one.
  await editor().fill(document(spaces))
  expect(await page.locator('.editor li.wrong').count()).toBe(0)
  expect(await page.getByRole('alert').count()).toBe(0)
})

test('a file is planned and then brought about', async () => {
  await planned(document(roles('"agents:read:all"') + spaces + greet('            return 1\n')))
  await change('roles/note-taker').getByText('Create', { exact: true }).waitFor()
  await change('roles/note-taker').locator('.gained').getByText('agents:read:all', { exact: true }).waitFor()
  expect(await change('state_namespaces/notes').locator('.gained').count()).toBe(0)
  await carryOut()
  expect(await server.api('GET', '/api/v1/roles/note-taker')).toMatchObject({
    permissions: ['agents:read:all'],
  })
  // What was made has a page by now.
  await change('roles/note-taker').getByRole('link').click()
  await page.getByRole('heading', { name: 'note-taker', level: 1 }).waitFor()
})

test('a change shows what comes and goes, and code by its lines', async () => {
  await page.goto('/console/configuration')
  const next = document(
    roles('"agents:read:own"') + spaces + greet('            # twice\n            return 2\n'),
  )
  await planned(next)
  await page.getByText('2 changes', { exact: true }).waitFor()
  await page.getByText('1 thing stays', { exact: true }).waitFor()
  const role = change('roles/note-taker')
  await role.getByText('Changes rights', { exact: true }).waitFor()
  expect(await role.locator('.gained code').allTextContents()).toEqual(['agents:read:own'])
  expect(await role.locator('.lost code').allTextContents()).toEqual(['agents:read:all'])
  const lines = page.getByRole('region', { name: 'Lines of code' }).locator('span.before, span.after')
  expect((await lines.allTextContents()).map((line) => line.trim())).toEqual([
    '−     return 1',
    '+     # twice',
    '+     return 2',
  ])
  await looksRight(page, 'configuration-change')
  await page.getByText('The same from a terminal').click()
  const [command] = await page.locator('.equivalent pre').allTextContents()
  expect(command).toBe('safeconduct config apply safeconduct.yaml')
  await carryOut()
  await button('Plan').click()
  await page.getByText('Everything is as the document says', { exact: true }).first().waitFor()
  expect(await button('Apply').getAttribute('data-tip')).toBe('Everything is as the document says')
})

test('what a file names no more is removed by choice alone, and by its name', async () => {
  await page.goto('/console/configuration')
  await planned(document(roles('"agents:read:own"') + greet('            # twice\n            return 2\n')))
  await page.getByRole('heading', { name: 'Warnings' }).waitFor()
  expect(await page.locator('.change').count()).toBe(0)
  await page.getByLabel('Remove what the file made and does not name any more').check()
  // The plan was of another manner.
  expect(await button('Apply').getAttribute('data-tip')).toBe('Look at the plan of this text first')
  await button('Plan').click()
  await change('state_namespaces/notes').getByText('Remove', { exact: true }).waitFor()
  await page.getByText('The same from a terminal').click()
  expect(await page.locator('.equivalent pre').first().textContent()).toBe(
    'safeconduct config apply safeconduct.yaml --prune',
  )
  await button('Apply').click()
  const dialog = page.getByRole('dialog', { name: 'Apply this plan?' })
  await dialog.getByText('1 thing is removed.', { exact: false }).waitFor()
  const final = dialog.getByRole('button', { name: 'Apply', exact: true })
  expect(await final.getAttribute('aria-disabled')).toBe('true')
  expect(await server.api('GET', '/api/v1/state/notes')).toMatchObject({ name: 'notes' })
  await dialog.getByRole('textbox').fill('acme')
  await dialog.getByRole('button', { name: 'Apply', exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
  expect(await server.api('GET', '/api/v1/state')).toMatchObject({ items: [] })
})

test('what another file holds is taken over by choice alone', async () => {
  await page.goto('/console/configuration')
  await planned(document(roles('"agents:read:all"'), 'other'))
  await page.getByRole('heading', { name: 'Held by other files' }).waitFor()
  await change('roles/note-taker').getByText('from the file acme', { exact: true }).waitFor()
  expect(await button('Apply').getAttribute('data-tip')).toMatch(/^Other files hold some of it/)
  await page.getByLabel('Take over what comes from other files').check()
  await button('Plan').click()
  await page.getByText('1 change', { exact: true }).waitFor()
  await button('Apply').click()
  const dialog = page.getByRole('dialog', { name: 'Apply this plan?' })
  await dialog.getByText('1 thing is taken over from another file.', { exact: false }).waitFor()
  await dialog.getByRole('textbox').fill('other')
  await dialog.getByRole('button', { name: 'Apply', exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
  expect(await server.api('GET', '/api/v1/roles/note-taker')).toMatchObject({
    permissions: ['agents:read:all'],
  })
})

test('a file is read from disk, and what it names is asked for', async () => {
  await page.goto('/console/configuration')
  const text = document(
    // biome-ignore lint/suspicious/noTemplateCurlyInString: names of a document look like those of a template
    '  functions:\n    - name: told\n      description: For ${WHO}\n      code: "${file:code/told.py}"\n',
    'named',
  )
  const file = { name: 'safeconduct.yaml', mimeType: 'application/yaml', buffer: Buffer.from(text) }
  await page.getByLabel('File', { exact: false }).first().setInputFiles(file)
  await expect.poll(() => editor().inputValue()).toBe(text)
  await page.getByLabel('WHO', { exact: true }).fill('whoever asks')
  await page.getByLabel('Contents of code/told.py').setInputFiles({
    name: 'told.py',
    mimeType: 'text/x-python',
    buffer: Buffer.from('def handler(input, context):\n    return 3\n'),
  })
  await page.getByText('code/told.py was read', { exact: true }).waitFor()
  await page.getByText('The same from a terminal').click()
  expect(await page.locator('.equivalent').textContent()).not.toContain('whoever asks')
  await button('Plan').click()
  await page.getByText('For whoever asks', { exact: true }).waitFor()
  await looksRight(page, 'configuration-names')
  await carryOut()
  expect(await server.api('GET', '/api/v1/functions/default:told')).toMatchObject({
    description: 'For whoever asks',
  })
})

test('what is there is written as a file that changes nothing', async () => {
  await page.getByRole('link', { name: 'Export', exact: true }).click()
  await page.getByLabel('Name of the file').fill('acme')
  await button('Show').click()
  await page.waitForURL(/manager=acme/)
  await page.getByText('1 entry', { exact: true }).waitFor()
  await looksRight(page, 'configuration-export')
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download the file' }).click()
  const kept = await download
  expect(kept.suggestedFilename()).toBe('acme.yaml')
  const text = readFileSync(await kept.path(), 'utf8')
  expect(text).toContain('name: greet')
  await page.getByRole('link', { name: 'Apply a file', exact: true }).click()
  await editor().fill(text)
  await button('Plan').click()
  await page.getByText('Everything is as the document says', { exact: true }).first().waitFor()
})

test('what was changed by hand is drift, and applying the file brings it back', async () => {
  await page.getByRole('link', { name: 'Drift', exact: true }).click()
  await page.getByRole('heading', { name: 'Nothing was changed by hand' }).waitFor()
  await server.api('PATCH', '/api/v1/roles/note-taker', { permissions: ['agents:read:all', 'runs:read:all'] })
  await page.reload()
  const drifted = change('roles/note-taker')
  await drifted.getByText('from the file other', { exact: true }).waitFor()
  expect(await drifted.locator('.gained code').allTextContents()).toEqual(['runs:read:all'])
  await looksRight(page, 'configuration-drift')
})

test('who may only look may plan, and is told which permission is missing', async () => {
  const theirs = await visit(browser, server)
  await signInAs(server, theirs, server.people.Ada)
  await theirs.page.goto('/console/configuration')
  const apply = theirs.page.getByRole('button', { name: 'Apply', exact: true })
  await expect.poll(() => apply.getAttribute('data-tip')).toMatch(/permission config:update/)
  // A plan reads what it compares, so it needs the right to.
  await theirs.page
    .getByRole('textbox', { name: 'Document' })
    .fill(document(roles('"agents:read:all"'), 'third'))
  await theirs.page.getByRole('button', { name: 'Plan', exact: true }).click()
  await theirs.page.getByRole('heading', { name: 'Held by other files' }).waitFor()
  expect(theirs.complaints).toEqual([])
  await theirs.context.close()
})

test('all of it is said in German, too', async () => {
  const theirs = await visit(browser, server)
  await signIn(server, theirs)
  await theirs.page.getByRole('button', { name: 'Theme and language' }).click()
  await theirs.page.getByRole('menuitemradio', { name: 'Deutsch' }).click()
  await theirs.page.getByRole('link', { name: 'Konfiguration' }).click()
  await theirs.page.getByRole('button', { name: 'Planen', exact: true }).click()
  await theirs.page.getByText('Anlegen', { exact: true }).first().waitFor()
  await looksRight(theirs.page, 'configuration-german')
  await theirs.page.getByRole('link', { name: 'Abweichungen' }).click()
  await theirs.page.getByText('aus der Datei other', { exact: true }).waitFor()
  await theirs.context.close()
})

test('nothing that the page did was refused by its own policy', () => {
  expect(mine.complaints).toEqual([])
})
