/** Runs that are tried again, given up, retried, replayed and put aside; and when they begin. */

import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signIn, signInAs, startBrowser, type Visit, visit } from '../browser'
import { looksRight } from '../look'
import { type Server, startServer } from '../server'

interface Run {
  id: string
  status: string
  attempts: number
}

let server: Server
let browser: Browser
let mine: Visit
let page: Page
/** The dead letter that the tests follow. */
let letter: Run
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

const execute = (name: string, input: object = {}) =>
  server.api<Run>('POST', `/api/v1/functions/jobs:${name}/execute`, { input })
const property = (name: string) =>
  page
    .locator('.properties > div')
    .filter({ has: page.getByText(name, { exact: true }) })
    .locator('dd')
const button = (name: string) => page.getByRole('button', { name, exact: true })
const rowOf = (run: Run) => page.getByRole('row').filter({ has: page.locator(`a[href$="${run.id}"]`) })

test('what a dead letter is stands where there is none', async () => {
  await page.goto('/console/')
  await page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Queues' }).click()
  await page.getByRole('heading', { name: 'Queues', level: 1 }).waitFor()
  await page.getByRole('heading', { name: 'No run waits' }).waitFor()
  await page.getByText('A run whose attempts are spent becomes a dead letter.', { exact: false }).waitFor()
})

test('a function says how often it is tried again and how many of its runs go at a time', async () => {
  await page.goto('/console/functions/new')
  await page.getByLabel('Namespace').fill('jobs')
  await page.getByLabel('Name', { exact: true }).fill('fails')
  const code =
    'def handler(input, context):\n    print("attempt", context.attempt)\n    raise ValueError("no")\n'
  await page.getByRole('textbox', { name: 'Code' }).fill(code)
  // With one attempt there is nothing to wait between.
  expect(await page.getByLabel('Wait before the second').count()).toBe(0)
  await page.getByLabel('Attempts').fill('2')
  await page.getByLabel('Wait before the second').fill('0')
  await page.getByLabel('Runs at a time').fill('3')
  await page.getByLabel('Starts').fill('50')
  await page.getByLabel('Within (seconds)').fill('3600')
  await page.getByLabel('Interpreter').selectOption('cold')
  await page.getByText('The same from a terminal').click()
  const [command] = await page.locator('.equivalent pre').allTextContents()
  expect(command).toContain('--attempts 2 --retry-wait 0 --concurrency 3 --mode cold --rate 50/3600s')
  await button('Create function').click()
  await page.getByRole('heading', { name: 'jobs:fails', level: 1 }).waitFor()
  expect(await server.api('GET', '/api/v1/functions/jobs:fails')).toMatchObject({
    version: {
      retry: { max_attempts: 2, initial_seconds: 0, max_seconds: 300 },
      concurrency: 3,
      rate: { starts: 50, per_seconds: 3600 },
      mode: 'cold',
    },
  })
  await page.getByRole('link', { name: 'Versions' }).click()
  await page.getByRole('row').filter({ hasText: 'v1' }).getByText('2, after 0 s', { exact: true }).waitFor()
  await page.getByRole('row').filter({ hasText: 'v1' }).getByText('50 in 3600 s', { exact: true }).waitFor()
})

test('what the form has no field for stays in the next version', async () => {
  const { id } = await server.api<{ id: string }>('POST', '/api/v1/functions', {
    namespace: 'jobs',
    name: 'patient',
    code: 'def handler(input, context):\n    return 1\n',
    retry: { max_attempts: 4, initial_seconds: 2, max_seconds: 60 },
    concurrency: 5,
    rate: { starts: 7, per_seconds: 30 },
  })
  await page.goto(`/console/functions/${id}`)
  expect(await page.getByLabel('Wait before the second').inputValue()).toBe('2')
  await page.getByLabel('Attempts').fill('3')
  // No flag of the command says how long the longest wait is.
  expect(await page.locator('.equivalent pre').count()).toBe(1)
  await button('Publish a new version').click()
  await page.getByText('v2', { exact: true }).first().waitFor()
  const found = () => server.api('GET', `/api/v1/functions/${id}`)
  expect(await found()).toMatchObject({
    version: {
      retry: { max_attempts: 3, initial_seconds: 2, max_seconds: 60 },
      concurrency: 5,
      rate: { starts: 7, per_seconds: 30 },
    },
  })
  await page.getByLabel('Attempts').fill('1')
  await page.getByLabel('Runs at a time').fill('0')
  await page.getByLabel('Starts').fill('0')
  await button('Publish a new version').click()
  await page.getByText('v3', { exact: true }).first().waitFor()
  const { version } = await server.api<{ version: object }>('GET', `/api/v1/functions/${id}`)
  expect(
    Object.entries(version).filter(([name, of]) => /^(retry|concurrency|rate)$/.test(name) && of !== null),
  ).toEqual([])
})

test('a run whose attempts are spent is a dead letter on the page of queues', async () => {
  letter = await execute('fails')
  expect([letter.status, letter.attempts]).toEqual(['dead', 2])
  await page.goto('/console/queues')
  const queue = page.getByRole('table', { name: 'Queues' }).getByRole('row').filter({ hasText: 'function' })
  await expect
    .poll(() => queue.getByRole('cell').allTextContents())
    .toEqual(['function', '0', '0', '0', '0', '0', '1', '–'])
  await rowOf(letter).getByText('Dead', { exact: true }).waitFor()
  await looksRight(page, 'queues')
  await rowOf(letter).locator('a.row-link').click()
  await page.getByRole('alert').getByText('ValueError', { exact: true }).waitFor()
  await expect.poll(() => property('Attempts').textContent()).toBe('2 of 2')
  await looksRight(page, 'run-dead')
})

test('operators see who works on runs, and nobody else', async () => {
  const workers = page.getByRole('table', { name: 'Workers' })
  await page.goto('/console/queues')
  const row = workers.getByRole('row').filter({ hasText: 'Working' })
  await row.getByText('0 of 64', { exact: true }).waitFor()
  const theirs = await visit(browser, server)
  await signInAs(server, theirs, server.people.Ada)
  await theirs.page.goto('/console/queues')
  await theirs.page.getByRole('heading', { name: 'Dead letters of function' }).waitFor()
  for (const name of ['Workers', 'Warm interpreters'])
    expect(await theirs.page.getByRole('table', { name }).count()).toBe(0)
  await theirs.context.close()
})

test('operators see what is kept warm and give it up', async () => {
  const warm = page.getByRole('table', { name: 'Warm interpreters' })
  await warm.getByText('Idle', { exact: true }).first().waitFor()
  await button('Give up all').click()
  await page.getByRole('heading', { name: 'Nothing is warm' }).waitFor()
})

test('a run says how far it is', async () => {
  const code =
    'import time\ndef handler(input, context):\n    context.progress(0.4, "four of ten")\n    time.sleep(input["wait"])\n'
  await server.api('POST', '/api/v1/functions', { namespace: 'jobs', name: 'reports', code })
  const ended = server.api<Run>('POST', '/api/v1/functions/jobs:reports/execute', { input: { wait: 600 } })
  const running = async () => (await server.api<{ items: Run[] }>('GET', '/api/v1/runs?status=running')).items
  await expect.poll(async () => (await running()).length).toBe(1)
  const [run] = await running()
  if (!run) throw new Error('it runs')
  await page.goto(`/console/runs/${run.id}`)
  await expect
    .poll(() => page.getByRole('progressbar', { name: 'Progress' }).getAttribute('value'))
    .toBe('0.4')
  await page.getByText('40 %', { exact: true }).waitFor()
  await page.getByText('four of ten', { exact: true }).waitFor()
  await looksRight(page, 'run-progress')
  await server.api('POST', `/api/v1/runs/${run.id}/cancel`)
  expect((await ended).status).toBe('cancelled')
})

test('it is retried from the list and, dead again, from its page, in the same log', async () => {
  await page.goto('/console/queues')
  await rowOf(letter).getByRole('button', { name: 'Retry' }).click()
  const now = () => server.api<Run>('GET', `/api/v1/runs/${letter.id}`)
  await expect.poll(async () => (await now()).attempts).toBe(4)
  await expect.poll(async () => (await now()).status).toBe('dead')
  await page.goto(`/console/runs/${letter.id}?tab=log`)
  await page.getByRole('log').getByText('attempt 4', { exact: true }).waitFor()
  await button('Retry').click()
  await page.getByRole('log').getByText('attempt 6', { exact: true }).waitFor()
  await button('Put aside').waitFor()
  for (const line of ['attempt 1', 'attempt 5'])
    expect(await page.getByRole('log').getByText(line, { exact: true }).count(), line).toBe(1)
  // The proof is of its last end, and each retry stands beside it.
  await page.getByRole('link', { name: 'Evidence' }).click()
  await expect.poll(() => page.getByRole('link', { name: 'run.retried' }).count()).toBe(2)
  await expect.poll(() => page.getByRole('link', { name: 'run.dead' }).count()).toBe(3)
})

test('the log of a run that is tried again goes on beneath what was followed before', async () => {
  await server.api('POST', '/api/v1/functions', {
    namespace: 'jobs',
    name: 'slower',
    code: [
      'import time',
      'def handler(input, context):',
      '    print("attempt", context.attempt, flush=True)',
      '    time.sleep({1: 0, 2: 1}.get(context.attempt, 60))',
      '    raise ValueError("no")',
      '',
    ].join('\n'),
  })
  const run = await execute('slower')
  expect(run.status).toBe('failed')
  await page.goto(`/console/runs/${run.id}?tab=log`)
  for (const attempt of ['attempt 2', 'attempt 3']) {
    await button('Retry').click()
    await page.getByRole('log').getByText(attempt, { exact: true }).waitFor()
  }
  // It sleeps for a minute more, so these are the lines of the stream.
  await page.getByText('Running', { exact: true }).waitFor()
  for (const line of ['attempt 1', 'attempt 2', 'attempt 3'])
    expect(await page.getByRole('log').getByText(line, { exact: true }).count(), line).toBe(1)
  await button('Cancel run').click()
  await page.getByText('Cancelled', { exact: true }).waitFor()
})

test('put aside, it is no letter any more; a page that did not know says what the server says', async () => {
  const stale = await mine.context.newPage()
  await stale.goto(`/console/runs/${letter.id}`)
  await stale.getByRole('button', { name: 'Put aside' }).waitFor()
  await page.goto('/console/queues')
  await rowOf(letter).getByRole('button', { name: 'Put aside' }).click()
  await page.getByRole('heading', { name: 'No dead letters' }).waitFor()
  await page.getByRole('heading', { name: 'No run waits' }).waitFor()
  await stale.getByRole('button', { name: 'Put aside' }).click()
  await stale.getByRole('alert').getByText(/req_/).waitFor()
  await stale.close()
  // It stays on record.
  await page.goto('/console/runs?status=dead')
  await rowOf(letter).waitFor()
})

test('from its page, putting aside leads to what is left', async () => {
  const other = await execute('fails')
  await page.goto(`/console/runs/${other.id}`)
  await button('Put aside').click()
  await page.getByRole('heading', { name: 'Queues', level: 1 }).waitFor()
  await page.getByRole('heading', { name: 'No dead letters' }).waitFor()
})

test('a run that succeeded is replayed: a new run, which names the one that it repeats', async () => {
  await server.api('POST', '/api/v1/functions', {
    namespace: 'jobs',
    name: 'double',
    code: 'def handler(input, context):\n    return {"twice": input["n"] * 2}\n',
  })
  const first = await execute('double', { n: 21 })
  expect(first.status).toBe('succeeded')
  await page.goto(`/console/runs/${first.id}`)
  expect([await button('Retry').count(), await button('Put aside').count()]).toEqual([0, 0])
  await button('Replay').click()
  const origin = property('Replay of').getByRole('link')
  expect(await origin.getAttribute('href')).toBe(`/console/runs/${first.id}`)
  expect(page.url()).not.toContain(first.id)
  await page.getByRole('region', { name: 'Output' }).getByText('"twice": 42').waitFor()
  await expect.poll(() => property('Trigger').textContent()).toBe('By hand')
  await origin.click()
  await page.waitForURL(`**/console/runs/${first.id}`)
})

test('a run that others were asked for by shows them, and they lead back', async () => {
  const code = [
    'import json, urllib.request',
    'def handler(input, context):',
    '    request = urllib.request.Request(context.api_url + "/api/v1/functions/jobs:double/execute",',
    '        data=b\'{"input": {"n": 4}}\', headers={"Authorization": "Bearer " + context.access_token,',
    '        "Content-Type": "application/json"})',
    '    return json.load(urllib.request.urlopen(request))["output"]',
    '',
  ].join('\n')
  const permissions = ['functions:execute']
  await server.api('POST', '/api/v1/functions', { namespace: 'jobs', name: 'asks', code, permissions })
  const parent = await execute('asks')
  expect(parent.status).toBe('succeeded')
  await page.goto(`/console/runs/${parent.id}`)
  await page.getByRole('link', { name: 'Asked for', exact: true }).click()
  await page.getByRole('row').filter({ hasText: 'jobs:double' }).locator('a.row-link').click()
  await page.getByRole('region', { name: 'Output' }).getByText('"twice": 8').waitFor()
  expect(await property('Asked for by').getByRole('link').getAttribute('href')).toBe(
    `/console/runs/${parent.id}`,
  )
  expect(await page.getByRole('link', { name: 'Asked for', exact: true }).count()).toBe(0)
})

test('a test run is put off, goes first, and is not doubled under its key', async () => {
  const { id } = await server.api<{ id: string }>('GET', '/api/v1/functions/jobs:double')
  await page.goto(`/console/functions/${id}?tab=test`)
  await page.getByRole('textbox', { name: 'Input' }).fill('{"n": 1}')
  await page.getByText('Options', { exact: true }).click()
  await page.getByLabel('Priority').fill('-7')
  await page.getByLabel('Delay (seconds)').fill('3600')
  await page.getByLabel('Deduplication key').fill('one at night')
  await page.getByLabel('Concurrency key').fill('night')
  await looksRight(page, 'function-test-options')
  await page.getByText('The same from a terminal').click()
  const [command] = await page.locator('.equivalent pre').allTextContents()
  expect(command).toContain(
    "--priority=-7 --delay 3600s --deduplication-key 'one at night' --concurrency-key night",
  )
  const sent = page.waitForRequest(
    (request) => request.method() === 'POST' && request.url().endsWith('/execute'),
  )
  await button('Run').click()
  expect((await sent).postData()).toBe(
    '{"input":{"n": 1},"priority":-7,"delay_seconds":3600,"deduplication_key":"one at night","concurrency_key":"night"}',
  )
  await page.waitForURL(/run=run_/)
  const first = new URL(page.url()).searchParams.get('run')
  const again = page.waitForResponse((response) => response.url().endsWith('/execute'))
  await button('Run').click()
  expect(await (await again).json()).toMatchObject({ id: first, status: 'queued' })
  await page.goto(`/console/runs/${first}`)
  await expect.poll(() => property('Priority').textContent()).toBe('-7')
  await expect.poll(() => property('Not before').textContent()).toMatch(/^in \d+ (hr|min)/)
  await page.goto('/console/queues')
  const queue = page.getByRole('table', { name: 'Queues' }).getByRole('row').filter({ hasText: 'function' })
  await expect
    .poll(() => queue.getByRole('cell').allTextContents())
    .toEqual(['function', '0', '0', '1', '0', '0', '0', '–'])
  await page.goto(`/console/runs/${first}`)
  await button('Cancel run').click()
  await page.getByText('Cancelled', { exact: true }).waitFor()
})

test('what the server refuses of it stands at its field', async () => {
  const { id } = await server.api<{ id: string }>('GET', '/api/v1/functions/jobs:double')
  await page.goto(`/console/functions/${id}?tab=test`)
  await page.getByText('Options', { exact: true }).click()
  const field = page.getByLabel('Delay (seconds)')
  await field.evaluate((input: HTMLInputElement) => input.removeAttribute('max'))
  await field.fill('2592001')
  await button('Run').click()
  await expect.poll(() => field.getAttribute('aria-invalid')).toBe('true')
})

test('who may only look is told which permission is missing', async () => {
  const dead = await execute('fails')
  const theirs = await visit(browser, server)
  await signInAs(server, theirs, server.people.Ada)
  const tip = (name: string) =>
    theirs.page.getByRole('button', { name, exact: true }).first().getAttribute('data-tip')
  for (const path of ['/console/queues', `/console/runs/${dead.id}`]) {
    await theirs.page.goto(path)
    for (const name of ['Retry', 'Put aside'])
      await expect.poll(() => tip(name), { message: `${name} on ${path}` }).toMatch(/permission runs:update/)
  }
  await expect.poll(() => tip('Replay')).toMatch(/permission functions:execute/)
  expect(theirs.complaints).toEqual([])
  await theirs.context.close()
})

test('all of it is said in German, too', async () => {
  const theirs = await visit(browser, server)
  await signIn(server, theirs)
  await theirs.page.getByRole('button', { name: 'Theme and language' }).click()
  await theirs.page.getByRole('menuitemradio', { name: 'Deutsch' }).click()
  await theirs.page.getByRole('link', { name: 'Warteschlangen' }).click()
  await theirs.page.getByRole('heading', { name: 'Aufgegebene Läufe von function' }).waitFor()
  await looksRight(theirs.page, 'queues-german')
  await theirs.page.locator('a[href*="/runs/run_"]').first().click()
  await theirs.page.getByRole('button', { name: 'Beiseitelegen' }).waitFor()
  await theirs.page.getByText('2 von 2', { exact: true }).waitFor()
  await theirs.context.close()
})

test('nothing that the page did was refused by its own policy', () => {
  expect(mine.complaints).toEqual([])
})
