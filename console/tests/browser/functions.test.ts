import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signIn, startBrowser, type Visit, visit } from '../browser'
import { looksRight } from '../look'
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
  // What was left empty is what the server allows.
  expect(await server.api('GET', '/api/v1/functions/math:slow_double')).toMatchObject({
    version: { number: 1, runtime: 'python', timeout_seconds: 300, memory_mb: 512 },
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

test('a long line of an output is wrapped beside the button that copies it', async () => {
  await server.api('POST', '/api/v1/functions', {
    namespace: 'math',
    name: 'long',
    code: 'def handler(input, context):\n    return {"line": "9" * 4000}\n',
  })
  const run = await server.api<{ id: string }>('POST', '/api/v1/functions/math:long/execute', { input: {} })
  await page.goto(`/console/runs/${run.id}`)
  const output = page.getByRole('region', { name: 'Output' })
  await output.getByText('"line"').waitFor()
  const copy = page.getByRole('button', { name: 'Copy: Output' })
  const [shown, button] = [await output.boundingBox(), await copy.boundingBox()]
  expect((shown?.x ?? 0) + (shown?.width ?? 0)).toBeLessThanOrEqual(button?.x ?? 0)
  expect(await output.evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0)
})

test('the first page tells of runs that failed and of those that ran out of time', async () => {
  await server.api('POST', '/api/v1/functions', {
    namespace: 'math',
    name: 'slow',
    timeout_seconds: 1,
    code: 'import time\ndef handler(input, context):\n    time.sleep(60)\n',
  })
  const slow = await server.api<{ status: string }>('POST', '/api/v1/functions/math:slow/execute', {
    input: {},
  })
  expect(slow.status).toBe('timed_out')
  await page.goto('/console/')
  await page.getByRole('link', { name: 'One run failed in the last day' }).waitFor()
  await page.getByRole('link', { name: 'One run went past its time limit in the last day' }).click()
  await page.getByRole('row').filter({ hasText: 'math:slow' }).filter({ hasText: 'Timed out' }).waitFor()
})

test('runs are filtered by the name of their function; the address holds its id', async () => {
  const { id } = await server.api<{ id: string }>('GET', '/api/v1/functions/math:long')
  await page.goto('/console/runs')
  await page.getByRole('row').filter({ hasText: 'math:slow' }).first().waitFor()
  const filter = page.getByRole('combobox', { name: 'Function' })
  await filter.fill('lon')
  await page.getByRole('option', { name: 'math:long' }).waitFor()
  await looksRight(page, 'runs-by-function')
  await filter.press('Enter')
  await page.waitForURL(`**/console/runs?function=${id}`)
  await expect.poll(() => page.getByRole('row').filter({ hasText: 'math:slow' }).count()).toBe(0)
  await page.getByRole('row').filter({ hasText: 'math:long' }).first().waitFor()
  await page.reload()
  await expect.poll(() => filter.inputValue()).toBe('math:long')
  // Half a name is no filter; none takes the filter away.
  await filter.fill('slo')
  await filter.blur()
  await expect.poll(() => filter.inputValue()).toBe('math:long')
  await filter.fill('')
  await filter.blur()
  await page.getByRole('row').filter({ hasText: 'math:slow' }).first().waitFor()
  expect(new URL(page.url()).search).toBe('')
})

test('kinds of facts are broken at their dots only, however little room there is', async () => {
  await page.goto('/console/')
  await page.locator('.kind').first().waitFor()
  const lines = await page.locator('.kind').evaluateAll((kinds) => {
    for (const table of document.querySelectorAll<HTMLElement>('.listing')) table.style.width = '1px'
    return kinds.flatMap((kind) =>
      [...kind.childNodes]
        .filter((node) => node.nodeType === Node.TEXT_NODE)
        .map((word) => {
          const range = document.createRange()
          range.selectNodeContents(word)
          return range.getClientRects().length
        }),
    )
  })
  expect(new Set(lines)).toEqual(new Set([1]))
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
  await expect.poll(() => page.getByRole('button', { name: 'Cancel run' }).count()).toBe(0)
  const chain = page.locator('.chain-line')
  await expect.poll(() => chain.textContent()).toMatch(/math:forever.* on behalf of .*Owner/)
})

test('numbers of an input and of a result keep every digit; the result stands beside the input that gave it', async () => {
  const typed = '{"n": [12345678901234567890, 9007199254740993, 1.0]}'
  const { id } = await server.api<{ id: string }>('POST', '/api/v1/functions', {
    namespace: 'math',
    name: 'echo',
    code: 'def handler(input, context):\n    return input\n',
  })
  await page.goto(`/console/functions/${id}?tab=test`)
  const input = page.getByRole('textbox', { name: 'Input' })
  await input.fill(typed)
  await page.getByText('The same from a terminal').click()
  const exact = '"n":[12345678901234567890,9007199254740993,1.0]'
  for (const by of await page.locator('.equivalent pre').allTextContents()) expect(by).toContain(exact)
  const sent = page.waitForRequest((request) => request.method() === 'POST')
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  expect((await sent).postData()).toBe(`{"input":${typed}}`)
  const output = page.getByRole('region', { name: 'Output' })
  await output.getByText(/12345678901234567890,\s+9007199254740993,/).waitFor()
  await page.reload()
  await output.waitFor()
  expect(await input.inputValue()).toMatch(/12345678901234567890,\s+9007199254740993,/)
  await page.getByRole('link', { name: 'Evidence' }).click()
  await page.getByRole('link', { name: 'Result' }).click()
  for (const name of ['Input', 'Output'])
    await page
      .getByRole('region', { name })
      .getByText(/12345678901234567890,\s+9007199254740993,/)
      .waitFor()
})

test('a fact calls a function what every page calls it', async () => {
  await page.goto('/console/audit?kind=function.created')
  await page.getByRole('row').getByText('math:echo', { exact: true }).waitFor()
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
