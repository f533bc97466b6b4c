/** Schedules: made with their next ticks in view, set off, paused, refused, taken over and deleted. */

import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signIn, signInAs, startBrowser, type Visit, visit } from '../browser'
import { looksRight } from '../look'
import { type Server, startServer } from '../server'

interface Schedule {
  id: string
  name: string
  owner: string
  revision: number
  input: unknown
}

let server: Server
let browser: Browser
let mine: Visit
let page: Page
let fn: string
beforeAll(async () => {
  server = await startServer({ Vera: 'viewer', Adam: 'admin' })
  browser = await startBrowser()
  mine = await visit(browser, server)
  page = mine.page
  await signIn(server, mine)
  const made = await server.api<{ id: string }>('POST', '/api/v1/functions', {
    namespace: 'jobs',
    name: 'count',
    code: 'def handler(input, context):\n    return {"rows": input["rows"]}\n',
    input_schema: {
      type: 'object',
      required: ['rows'],
      properties: { rows: { type: 'integer', minimum: 0 } },
    },
  })
  fn = made.id
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

const button = (name: string) => page.getByRole('button', { name, exact: true })
const heading = (name: string) => page.getByRole('heading', { name, level: 1, exact: true }).waitFor()
const row = (name: string) =>
  page.getByRole('row').filter({ has: page.getByRole('link', { name: new RegExp(`^${name}`) }) })
const ticks = () => page.getByRole('list', { name: 'Next ticks' }).getByRole('listitem')
const input = () => page.getByRole('textbox', { name: 'Input', exact: true })
const property = (name: string) =>
  page
    .locator('.properties > div')
    .filter({ has: page.getByText(name, { exact: true }) })
    .locator('dd')
const tipOf = (name: string) => button(name).first().getAttribute('data-tip')

const make = (more: object) =>
  server.api<Schedule>('POST', '/api/v1/schedules', {
    timing: { cron: '0 2 * * *' },
    function: 'jobs:count',
    input: { rows: 1 },
    ...more,
  })
const found = async (name: string) => {
  const { items } = await server.api<{ items: Schedule[] }>('GET', `/api/v1/schedules?q=${encodeURI(name)}`)
  return items.find((one) => one.name === name)
}

async function choose(name: string) {
  await page.getByRole('combobox', { name: 'Function' }).fill(name)
  await page.getByRole('option').filter({ hasText: name }).click()
}

test('where there is none, the page says how to make one', async () => {
  await page.goto('/console/')
  await page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Schedules' }).click()
  await heading('Schedules')
  await page.getByRole('heading', { name: 'No schedules yet' }).waitFor()
  await page.getByText('safeconduct schedules create').first().waitFor()
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: 'Search and jump' }).fill('make a sched')
  await page.keyboard.press('Enter')
  await heading('Make a schedule')
})

test('a pattern is typed with its next ticks beside it, and what is wrong stands at its field', async () => {
  await page.goto('/console/schedules/new')
  expect(await tipOf('Make a schedule')).toBe('Choose a function first.')
  await page.getByLabel('Name', { exact: true }).fill('nightly report')
  await choose('jobs:count')
  expect(await tipOf('Make a schedule')).toBe('Say when it ticks first.')

  const pattern = page.getByLabel('Cron pattern')
  await pattern.fill('61 * * * *')
  await page.getByText('is no cron pattern of five or six fields').waitFor()
  await expect.poll(() => pattern.getAttribute('aria-invalid')).toBe('true')
  expect(await ticks().count()).toBe(0)
  await pattern.fill('0 9 * * MON-FRI')
  await page.getByLabel('Time zone').fill('Mars/Olympus')
  await page.getByText('must be a name of the IANA time zone database').waitFor()
  await expect.poll(() => page.getByLabel('Time zone').getAttribute('aria-invalid')).toBe('true')
  await page.getByLabel('Time zone').fill('Asia/Kathmandu')
  await page.getByText('Monday to Friday at 09:00 (Asia/Kathmandu)').waitFor()
  await expect.poll(() => ticks().count()).toBe(5)
  for (const tick of await ticks().allTextContents()) expect(tick).toMatch(/09:00.* for you/)

  await page.getByText('Overlap, missed ticks, jitter, start and end').click()
  await page.getByLabel('Ticks that were missed').selectOption('Make up for the last of them')
  await page.getByLabel('How many are made up for').fill('3')
  await page.getByLabel('Start', { exact: true }).fill('2026-01-02T00:00')
  await page.getByLabel('End', { exact: true }).fill('2026-01-01T00:00')
  await page.getByText('must come after').waitFor()
  await page.getByLabel('End', { exact: true }).fill('')
  await expect.poll(() => ticks().count()).toBe(5)
  await page.getByRole('heading', { name: 'Make a schedule' }).scrollIntoViewIfNeeded()
  await looksRight(page, 'schedule-new')
})

test('what the schema of the function would refuse is said before; numbers keep their digits', async () => {
  await input().fill('{"rows": ')
  await page.getByText('This is not JSON yet.').first().waitFor()
  expect(await tipOf('Make a schedule')).toBe('This is not JSON yet.')
  await input().fill('{"rows": -1}')
  await page.getByText('must have or be ≥ 0').waitFor()
  await input().fill('{"rows": 9007199254740993}')
  await page.getByText('must have or be').waitFor({ state: 'detached' })
  await page.getByText('The same from a terminal').click()
  const [command] = await page.locator('.equivalent pre').allTextContents()
  expect(command).toContain(
    `safeconduct schedules create 'nightly report' ${fn} --cron '0 9 * * MON-FRI' --zone Asia/Kathmandu`,
  )
  expect(command).toContain(`--input '{"rows":9007199254740993}' --missed backfill --backfill 3`)
  await button('Make a schedule').click()
  await heading('nightly report')
  expect(await found('nightly report')).toMatchObject({
    timing: { cron: '0 9 * * MON-FRI' },
    time_zone: 'Asia/Kathmandu',
    function: fn,
    overlap: 'skip',
    missed: 'backfill',
    backfill: 3,
    starts_at: '2026-01-01T18:15:00.000Z',
    state: 'active',
  })
  await page.getByText('9007199254740993').waitFor()
  await page.getByText('It acts for you, with what you hold at each tick.', { exact: false }).waitFor()
  await expect.poll(() => ticks().count()).toBe(5)
  await looksRight(page, 'schedule')
})

test('an interval and a single time are said in the zone of the schedule', async () => {
  for (const [kind, fill] of [
    [
      'Interval',
      async () => {
        await page.getByLabel('Every', { exact: true }).fill('36')
        await page.getByLabel('Unit').selectOption('Hours')
        await page.getByText('every 36 hours', { exact: true }).waitFor()
      },
    ],
    ['Once', () => page.getByLabel('Time', { exact: true }).fill('2199-07-01T08:30')],
  ] as const) {
    await page.goto('/console/schedules/new')
    await page.getByLabel('Name', { exact: true }).fill(`by ${kind}`)
    await choose('jobs:count')
    await input().fill('{"rows": 1}')
    await page.getByRole('radio', { name: kind }).check()
    await page.getByLabel('Time zone').fill('Europe/Berlin')
    await fill()
    await page.getByLabel('Make it paused').check()
    await button('Make a schedule').click()
    await heading(`by ${kind}`)
    await page.getByText('No tick comes while it is not active.').waitFor()
  }
  expect(await found('by Interval')).toMatchObject({ timing: { every_seconds: 129_600 }, state: 'paused' })
  expect(await found('by Once')).toMatchObject({ timing: { at: '2199-07-01T06:30:00.000Z' } })
  await page.goto('/console/schedules')
  await row('by Once').getByText('once on Mon, Jul 1, 2199, 08:30', { exact: false }).waitFor()
  await row('nightly report').getByText('Monday to Friday at 09:00').waitFor()
  await row('nightly report').locator('time').first().waitFor()
  await page.getByLabel('Status').selectOption('Paused')
  await row('nightly report').waitFor({ state: 'detached' })
  await row('by Interval').waitFor()
  await page.goto('/console/schedules?q=nothing')
  await page.getByRole('heading', { name: 'Nothing matches these filters' }).waitFor()
})

test('a name that another schedule has is refused at its field', async () => {
  await page.goto('/console/schedules/new')
  const name = page.getByLabel('Name', { exact: true })
  await name.fill('nightly report')
  await choose('jobs:count')
  await input().fill('{"rows": 1}')
  await page.getByLabel('Cron pattern').fill('@daily')
  await button('Make a schedule').click()
  await page.getByRole('alert').getByText(/req_/).waitFor()
  await expect.poll(() => name.getAttribute('aria-invalid')).toBe('true')
})

test('the commands that the forms show do the same', async () => {
  const shown = async () => {
    await page.getByText('The same from a terminal').last().click()
    return (await page.getByRole('region', { name: 'Command' }).last().textContent()) ?? ''
  }
  await page.goto('/console/schedules/new')
  await page.getByLabel('Name', { exact: true }).fill("Ada's")
  await choose('jobs:count')
  await page.getByRole('radio', { name: 'Interval' }).check()
  await input().fill('{"rows": 2, "by": "it\'s"}')
  await page.getByText('Overlap, missed ticks, jitter, start and end').click()
  await page.getByLabel('When the run before is still open').selectOption('Wait for it')
  await page.getByLabel('Jitter').fill('30')
  await page.getByLabel('Time zone').fill('Europe/Berlin')
  await page.getByLabel('End', { exact: true }).fill('2199-07-01T08:30')
  await page.getByLabel('Make it paused').check()
  await server.shell(await shown())
  const made = await found("Ada's")
  expect(made).toMatchObject({
    timing: { every_seconds: 300 },
    time_zone: 'Europe/Berlin',
    input: { rows: 2, by: "it's" },
    overlap: 'queue',
    jitter_seconds: 30,
    ends_at: '2199-07-01T06:30:00.000Z',
    state: 'paused',
  })
  await page.goto(`/console/schedules/${made?.id}?panel=edit`)
  await page.getByLabel('Description').fill("- it's late")
  await page.getByRole('radio', { name: 'Pattern' }).check()
  await page.getByLabel('Cron pattern').fill('@daily')
  await server.shell(await shown())
  expect(await found("Ada's")).toMatchObject({ description: "- it's late", timing: { cron: '@daily' } })
  // No flag takes an end away, so there is no command for it.
  await page.reload()
  await page.getByText('Overlap, missed ticks, jitter, start and end').click()
  await page.getByLabel('End', { exact: true }).fill('')
  await page.getByText('The same from a terminal').click()
  expect(await page.getByRole('region', { name: 'Command' }).count()).toBe(0)
  await page.goto(`/console/schedules/${made?.id}`)
  await server.shell(await shown())
  expect(await found("Ada's")).toMatchObject({ state: 'active' })
})

test('run now leads to the run, and the run back to its schedule', async () => {
  const { id } = await make({ name: 'by hand' })
  await page.goto(`/console/schedules/${id}`)
  await page.getByText('It has run nothing yet').waitFor()
  await button('Run now').click()
  await page.waitForURL(/\/runs\/run_/)
  const run = page.url().split('/').pop()
  await page.getByRole('region', { name: 'Output' }).getByText('"rows": 1').waitFor()
  await property('Trigger').getByRole('link', { name: 'by hand' }).click()
  await heading('by hand')
  await page.locator(`a[href$="${run}"]`).waitFor()
  await page.getByRole('link', { name: 'History' }).click()
  await page
    .getByRole('row')
    .filter({ hasText: 'A run was accepted.' })
    .locator(`a[href$="${run}"]`)
    .waitFor()
})

test('paused, it waits for nothing until it is resumed; the calendar shows what lies ahead', async () => {
  const { id } = await make({ name: 'daily', time_zone: 'Asia/Kathmandu' })
  await page.goto(`/console/schedules/${id}`)
  await button('Pause').click()
  await button('Resume').waitFor()
  expect(await server.api('GET', `/api/v1/schedules/${id}`)).toMatchObject({ state: 'paused', next: [] })
  await page.getByRole('link', { name: 'Calendar' }).click()
  await page.getByText('No tick comes while it is not active.').waitFor()
  const table = page.getByRole('table', { name: 'Calendar' })
  expect(await table.locator('.ahead').count()).toBe(0)
  await button('Resume').click()
  await button('Pause').waitFor()
  // A day for each, four weeks at least.
  await expect.poll(() => table.locator('.ahead').count()).toBeGreaterThanOrEqual(28)
  expect(await table.locator('[aria-current="date"]').count()).toBe(1)
  await page.getByText('The next 100 ticks; more follow.').waitFor()
  await page.getByText('As a list').click()
  await expect.poll(() => ticks().count()).toBe(100)
  for (const tick of await ticks().allTextContents()) expect(tick).toContain('02:00')
})

test('a refusal stands out in the list, on its page and in the history, with what to do', async () => {
  const rows = (least: number) => ({
    type: 'object',
    properties: { rows: { type: 'integer', minimum: least } },
  })
  const code = 'def handler(input, context):\n    return input\n'
  const stricter = await server.api<{ id: string }>('POST', '/api/v1/functions', {
    namespace: 'jobs',
    name: 'stricter',
    code,
    input_schema: rows(0),
  })
  const { id } = await make({ name: 'unfit', function: 'jobs:stricter', timing: { every_seconds: 1 } })
  await server.api('POST', `/api/v1/functions/${stricter.id}/versions`, { input_schema: rows(2) })
  await page.goto('/console/schedules')
  await row('unfit').getByText('Refused: input_invalid').waitFor()
  await row('unfit')
    .getByText('The input does not fit the schema of the function.', { exact: false })
    .waitFor()
  await looksRight(page, 'schedules')
  await row('unfit').locator('a.row-link').click()
  await page.getByText('Its last tick was refused: input_invalid').waitFor()
  await page.getByRole('link', { name: 'History' }).click()
  await page.getByRole('row').filter({ hasText: 'Refused: input_invalid' }).first().waitFor()
  await looksRight(page, 'schedule-history')
  await page.getByRole('link', { name: 'Calendar' }).click()
  await page.getByRole('table', { name: 'Calendar' }).locator('.status.bad').first().waitFor()
  await looksRight(page, 'schedule-calendar')
  // By hand, the whole refusal is read.
  await button('Run now').click()
  await page.getByRole('alert').getByText('/rows').waitFor()
  await button('Edit').click()
  await input().fill('{"rows": 2}')
  await button('Save changes').click()
  await page.getByRole('link', { name: 'History' }).click()
  await page.getByRole('row').filter({ hasText: 'A run was accepted.' }).first().waitFor()
  await page.getByText('Its last tick was refused').waitFor({ state: 'detached' })
  await button('Pause').click()
  await button('Resume').waitFor()
  expect(await server.api('GET', `/api/v1/schedules/${id}`)).toMatchObject({ input: { rows: 2 } })
})

test('whoever changes what it does takes it over, and is told so before', async () => {
  const theirs = await visit(browser, server)
  await signInAs(server, theirs, server.people.Adam)
  await theirs.page.goto('/console/schedules')
  const makeTheirs = (name: string, timing: object) =>
    theirs.page.evaluate(
      async (schedule) => {
        const answer = await fetch('/api/v1/schedules', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(schedule),
        })
        return answer.json() as Promise<Schedule>
      },
      { name, timing, function: 'jobs:count', input: { rows: 1 } },
    )
  const made = await makeTheirs('of Adam', { cron: '@daily' })
  await makeTheirs('left behind', { every_seconds: 1 })
  expect(made.owner).toBe(server.people.Adam?.id)
  await theirs.context.close()

  await page.goto(`/console/schedules/${made.id}`)
  await page.getByText('It acts for its owner, with what the owner holds at each tick.').waitFor()
  await button('Edit').click()
  await page.getByText('becomes its owner', { exact: false }).waitFor()
  await page.getByLabel('Description').fill('Each night')
  expect(await page.getByText('make you its owner', { exact: false }).count()).toBe(0)
  const sent = page.waitForRequest((request) => request.method() === 'PATCH')
  await button('Save changes').click()
  expect((await sent).postData()).toBe('{"description":"Each night"}')
  await heading('of Adam')
  await page.getByText('Each night', { exact: true }).waitFor()
  expect((await found('of Adam'))?.owner).toBe(made.owner)

  await button('Edit').click()
  await input().fill('{"rows": 7}')
  await page.getByText('make you its owner', { exact: false }).waitFor()
  // Somebody else is faster: nothing of theirs is overwritten.
  await server.api('PATCH', `/api/v1/schedules/${made.id}`, { overlap: 'queue' })
  await button('Save changes').click()
  await page.getByText('Somebody changed this schedule meanwhile.', { exact: false }).waitFor()
  await button('Save changes').click()
  await page.getByText('It acts for you, with what you hold at each tick.', { exact: false }).waitFor()
  const now = await server.api<Schedule>('GET', `/api/v1/schedules/${made.id}`)
  expect(now).toMatchObject({ input: { rows: 7 }, overlap: 'queue', description: 'Each night' })
  expect(now.owner).not.toBe(made.owner)
})

test('whose owner has left refuses until somebody takes it over', async () => {
  await server.api('DELETE', `/api/v1/members/${server.people.Adam?.id}`)
  const left = await found('left behind')
  await page.goto(`/console/schedules/${left?.id}`)
  await page.getByText('Its last tick was refused: trigger_orphaned').waitFor()
  await looksRight(page, 'schedule-orphaned')
  await button('Run now').click()
  await page.getByRole('alert').getByText('Nobody stands behind it any more').waitFor()
  await button('Take over').click()
  const dialog = page.getByRole('dialog', { name: 'Take left behind over?' })
  await dialog.getByRole('button', { name: 'Take over', exact: true }).click()
  await page.getByText('It acts for you, with what you hold at each tick.', { exact: false }).waitFor()
  await page.getByText('Succeeded', { exact: true }).first().waitFor()
  expect(await button('Take over').count()).toBe(0)
  await button('Pause').click()
  await button('Resume').waitFor()
})

test('who may only look is told which permission is missing', async () => {
  const schedule = await found('nightly report')
  const theirs = await visit(browser, server)
  await signInAs(server, theirs, server.people.Vera)
  const theirButton = (name: string) => theirs.page.getByRole('button', { name, exact: true })
  const tip = (name: string) => theirButton(name).getAttribute('data-tip')
  await theirs.page.goto('/console/schedules')
  await expect.poll(() => tip('Make a schedule')).toMatch(/permission schedules:create/)
  await theirs.page.goto(`/console/schedules/${schedule?.id}`)
  for (const name of ['Run now', 'Pause', 'Edit'])
    await expect.poll(() => tip(name), { message: name }).toMatch(/permission schedules:update/)
  await theirButton('Pause').press('Enter')
  await theirButton('More actions').click()
  const item = theirs.page.getByRole('menuitem', { name: 'Delete' })
  await item.getByText('You need the permission schedules:delete', { exact: false }).waitFor()
  expect(await server.api('GET', `/api/v1/schedules/${schedule?.id}`)).toMatchObject({ state: 'active' })
  expect(theirs.complaints).toEqual([])
  await theirs.context.close()
})

test('it is deleted once its name was typed', async () => {
  const schedule = await found('by Interval')
  await page.goto(`/console/schedules/${schedule?.id}`)
  await button('More actions').click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  const dialog = page.getByRole('dialog', { name: 'Delete by Interval?' })
  const remove = dialog.getByRole('button', { name: 'Delete', exact: true })
  expect(await remove.getAttribute('data-tip')).toBe('Type the name first.')
  await dialog.getByRole('textbox').fill('by Interval')
  await looksRight(page, 'schedule-delete')
  await remove.click()
  await heading('Schedules')
  await row('nightly report').waitFor()
  expect(await row('by Interval').count()).toBe(0)
  expect(await found('by Interval')).toBeUndefined()
})

test('all of it is said in German, too', async () => {
  const theirs = await visit(browser, server)
  await signIn(server, theirs)
  await theirs.page.getByRole('button', { name: 'Theme and language' }).click()
  await theirs.page.getByRole('menuitemradio', { name: 'Deutsch' }).click()
  await theirs.page.getByRole('link', { name: 'Zeitpläne' }).click()
  await theirs.page.getByText('Montag bis Freitag um 09:00 (Asia/Kathmandu)').waitFor()
  await theirs.page.getByRole('link', { name: /^nightly report/ }).click()
  await theirs.page.getByText('In wessen Namen').waitFor()
  await looksRight(theirs.page, 'schedule-german')
  await theirs.context.close()
})

test('nothing that the page did was refused by its own policy', () => {
  expect(mine.complaints).toEqual([])
})
