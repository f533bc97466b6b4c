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

const editor = () => page.getByRole('textbox', { name: 'Code' })

test('a function is written, and a syntax error is shown at its line', async () => {
  await page.goto('/console/functions/new')
  await page.getByLabel('Namespace').fill('math')
  await page.getByLabel('Name', { exact: true }).fill('slow_double')
  await editor().fill('def handler(input, context):\n    return {\n    oops oops\n')
  await page.getByRole('button', { name: 'Create function' }).click()
  await page.getByRole('alert').getByText(/req_/).waitFor()
  await page.locator('.editor li.wrong').waitFor()

  await editor().fill(
    [
      'import time',
      'def handler(input, context):',
      '    for step in range(input["n"]):',
      '        print("step", step, flush=True)',
      '        time.sleep(0.2)',
      '    return {"twice": input["n"] * 2}',
      '',
    ].join('\n'),
  )
  await page.getByRole('button', { name: 'Create function' }).click()
  await page.getByRole('heading', { name: 'math:slow_double', level: 1 }).waitFor()
  expect(await server.api('GET', '/api/v1/functions/math:slow_double')).toMatchObject({
    version: { number: 1, runtime: 'python' },
  })
})

test('a test run shows its log and its result', async () => {
  await page.getByRole('textbox', { name: 'Input' }).fill('{"n": 10}')
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  const log = page.getByRole('log')
  await log.getByText('step 1', { exact: true }).waitFor()
  await log.getByText('step 9', { exact: true }).waitFor()
  await page.getByText('Succeeded', { exact: true }).waitFor()
  await page.getByRole('region', { name: 'Output' }).getByText('"twice": 20').waitFor()
  // The run is part of the address.
  await page.reload()
  await log.getByText('step 9', { exact: true }).waitFor()
})

test('input that is no JSON cannot be run, and the button says why', async () => {
  await page.getByRole('textbox', { name: 'Input' }).fill('{"n": ')
  const button = page.getByRole('button', { name: 'Run', exact: true })
  expect(await button.getAttribute('aria-disabled')).toBe('true')
  expect(await button.getAttribute('data-tip')).toBe('This is not JSON yet.')
})

test('publishing makes a new version and keeps the old one', async () => {
  await page.getByRole('link', { name: 'Code', exact: true }).click()
  await editor().fill('def handler(input, context):\n    return {"thrice": input["n"] * 3}\n')
  await page.getByRole('button', { name: 'Publish a new version' }).click()
  await page.getByRole('banner').first().waitFor()
  await page.getByText('v2', { exact: true }).first().waitFor()
  await page.getByRole('link', { name: 'Versions' }).click()
  await page.getByText('v1', { exact: true }).click()
  await expect.poll(() => page.getByRole('textbox', { name: 'Code v1' }).inputValue()).toContain('"twice"')
})

test('a run has its page: chain, log, and a proof that was computed here', async () => {
  const run = await server.api<{ id: string }>('POST', '/api/v1/functions/math:slow_double/execute', {
    input: { n: 7 },
  })
  await page.goto('/console/runs?status=succeeded')
  await page.locator(`a[href$="${run.id}"]`).first().click()
  await page.getByRole('region', { name: 'Output' }).getByText('"thrice": 21').waitFor()
  await page.getByRole('link', { name: 'Evidence' }).click()
  await page.getByRole('link', { name: 'run.succeeded' }).waitFor()
  await page.getByText('Computed in this browser from the bytes below.').waitFor()
  expect(await page.getByText('Holds', { exact: true }).count()).toBe(5)
})

test('a failing run shows its error and is listed as failed', async () => {
  await server.api('POST', '/api/v1/functions', {
    namespace: 'math',
    name: 'broken',
    runtime: 'python',
    code: 'def handler(input, context):\n    return 1 / 0\n',
  })
  await page.goto('/console/functions')
  await page.getByRole('link', { name: 'math:broken' }).click()
  await page.getByRole('link', { name: 'Test run' }).click()
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await page.getByText('Failed', { exact: true }).waitFor()
  await page.getByRole('region', { name: 'Traceback' }).getByText('ZeroDivisionError').waitFor()
})

test('a log is followed while its run goes on, and the run is cancelled from its page', async () => {
  await server.api('POST', '/api/v1/functions', {
    namespace: 'math',
    name: 'forever',
    runtime: 'python',
    code: 'import time\ndef handler(input, context):\n    print("begun", flush=True)\n    time.sleep(60)\n',
  })
  await page.goto('/console/functions')
  await page.getByRole('link', { name: 'math:forever' }).click()
  await page.getByRole('link', { name: 'Test run' }).click()
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  // It sleeps for a minute more, so what is seen now is seen while it goes on.
  await page.getByRole('log').getByText('begun').waitFor()
  await page.getByText('Running', { exact: true }).waitFor()
  await page.getByRole('link', { name: 'Evidence' }).click()
  await page.getByRole('button', { name: 'Cancel run' }).click()
  await page.getByText('Cancelled', { exact: true }).waitFor()
})

test('a function is deleted once its name was typed', async () => {
  await page.goto('/console/functions')
  await page.getByRole('link', { name: 'math:broken' }).click()
  await page.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  const question = page.getByRole('dialog', { name: /^Delete/ })
  expect(await question.getByRole('button', { name: 'Delete' }).getAttribute('aria-disabled')).toBe('true')
  await question.getByLabel(/^Type/).fill('math:broken')
  await question.getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('heading', { name: 'Functions', level: 1 }).waitFor()
  await page.getByRole('link', { name: 'math:forever' }).waitFor()
  await expect.poll(() => page.getByRole('link', { name: 'math:broken' }).count()).toBe(0)
})

test('nothing that the page did was refused by its own policy', () => {
  expect(mine.complaints).toEqual([])
})
