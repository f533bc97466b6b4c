/** A run that asks: who sees it, the form that its question becomes, and how it goes on. */

import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signIn, signInAs, startBrowser, type Visit, visit } from '../browser'
import { looksRight } from '../look'
import { type Server, startServer } from '../server'

interface Run {
  id: string
  status: string
  output?: unknown
}

let server: Server
let browser: Browser
let mine: Visit
let page: Page
let run: Run
beforeAll(async () => {
  server = await startServer({ Ada: 'auditor' })
  browser = await startBrowser()
  mine = await visit(browser, server)
  page = mine.page
  await signIn(server, mine)
  const code = `
def handler(input, context):
    plain = context.ask("Deploy\\nto <b>production</b>?\\u202e", schema={"type": "object", "required": ["deploy"], "properties": {
        "deploy": {"type": "boolean", "title": "Deploy it"}, "share": {"type": "number"}, "hosts": {"type": "array"},
        "why": {"type": "string", "maxLength": 5, "writeOnly": True}}})
    return [plain, context.ask("Anything else?")]
`
  await server.api('POST', '/api/v1/functions', { namespace: 'jobs', name: 'asks', code })
  run = await server.api<Run>('POST', '/api/v1/functions/jobs:asks/execute', { input: {} })
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

const answer = () => page.getByRole('button', { name: 'Answer', exact: true })

test('the start page and the list of runs say that it waits', async () => {
  await page.goto('/console/')
  await page.getByRole('link', { name: 'One run waits for an answer' }).click()
  await page.waitForURL('**/console/runs?status=awaiting_input')
  await page.locator(`a[href$="${run.id}"]`).first().click()
  await page.getByRole('heading', { name: 'Question 1' }).waitFor()
  await looksRight(page, 'question')
})

test('who may only look is told which permission is missing', async () => {
  const theirs = await visit(browser, server)
  await signInAs(server, theirs, server.people.Ada)
  await theirs.page.goto(`/console/runs/${run.id}`)
  await theirs.page.getByLabel('Deploy it').selectOption('true')
  const tip = () => theirs.page.getByRole('button', { name: 'Answer', exact: true }).getAttribute('data-tip')
  await expect.poll(tip).toMatch(/permission runs:continue/)
  expect(theirs.complaints).toEqual([])
  await theirs.context.close()
})

test('what does not fit stands at its field, and the question stays open', async () => {
  await page.goto(`/console/runs/${run.id}`)
  // The function's words are text.
  expect(await page.locator('form strong b').count()).toBe(0)
  await page.getByLabel('Deploy it').selectOption('true')
  await page.getByLabel('Why').fill('because')
  await answer().click()
  await page.locator('.field .wrong').first().waitFor()
  await page.getByRole('heading', { name: 'Question 1' }).waitFor()
})

test('it goes on with the answers, each to its question', async () => {
  await page.getByLabel('Why').fill('ready')
  await page.getByLabel('Share').fill('0.5')
  await page.getByLabel('Hosts').fill('["a"]')
  await answer().click()
  await page.getByRole('heading', { name: 'Question 2' }).waitFor()
  // Nothing of the first answer is sent to the second question.
  expect(await page.getByRole('textbox', { name: 'Answer' }).inputValue()).toBe('')
  await page.getByRole('textbox', { name: 'Answer' }).fill('{"note": [1.50]}')
  await answer().click()
  await page.getByText('Succeeded', { exact: true }).first().waitFor()
  const ended = await server.api<Run>('GET', `/api/v1/runs/${run.id}`)
  expect(ended.output).toEqual([{ deploy: true, why: 'ready', share: 0.5, hosts: ['a'] }, { note: [1.5] }])
})

test('nothing that the page did was refused by its own policy', () => {
  expect(mine.complaints).toEqual([])
})
