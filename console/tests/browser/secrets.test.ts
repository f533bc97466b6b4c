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

const heading = (name: string) => page.getByRole('heading', { name, level: 1 }).waitFor()

test('a secret is kept, replaced and described, and its value is nowhere', async () => {
  await page.goto('/console/')
  await page.getByRole('link', { name: 'Secrets', exact: true }).click()
  await heading('Secrets')
  await page.getByRole('button', { name: 'Keep a secret', exact: true }).click()
  const form = page.getByRole('dialog', { name: 'Keep a secret' })
  await form.getByLabel('Name', { exact: true }).fill('CRM_TOKEN')
  await form.getByLabel('Value', { exact: true }).fill('tangerine-submarine')
  await form.getByLabel('Goes to these hosts only').fill('api.crm.example *.crm')
  await form.getByRole('button', { name: 'Keep a secret' }).click()
  await form.getByText('is a host such as api.example.com').first().waitFor()
  await form.getByLabel('Goes to these hosts only').fill('api.crm.example')
  await form.getByRole('button', { name: 'Keep a secret' }).click()
  await heading('CRM_TOKEN')
  await page.getByText('api.crm.example').first().waitFor()

  await page.getByRole('button', { name: 'Replace the value', exact: true }).click()
  const replace = page.getByRole('dialog', { name: 'Replace the value of CRM_TOKEN' })
  await replace.getByLabel('Value', { exact: true }).fill('tangerine-two')
  await replace.getByRole('button', { name: 'Replace the value' }).click()
  await replace.waitFor({ state: 'detached' })
  expect(await server.api('GET', '/api/v1/secrets/CRM_TOKEN')).toMatchObject({
    version: 2,
    hosts: ['api.crm.example'],
  })

  await page.getByRole('button', { name: 'Edit', exact: true }).click()
  const edit = page.getByRole('dialog', { name: 'Change CRM_TOKEN' })
  await edit.getByLabel('Description').fill('Of the test account')
  await edit.getByRole('button', { name: 'Save changes' }).click()
  await edit.waitFor({ state: 'detached' })
  await page.getByText('Of the test account').waitFor()
  expect(await page.content()).not.toContain('tangerine')
})

test('a function names it, and what it may call is shown with its version', async () => {
  await page.goto('/console/functions/new')
  await page.getByLabel('Name', { exact: true }).fill('crm')
  await page.getByLabel('Secrets', { exact: false }).fill('CRM_TOKEN')
  await page.getByRole('button', { name: 'Add a rule' }).click()
  await page.getByLabel('Methods of rule 1').fill('get, post')
  expect(await page.getByRole('button', { name: 'Create function' }).getAttribute('data-tip')).toBe(
    'An address such as https://api.example.com/v1',
  )
  await page.getByLabel('Address of rule 1').fill('https://api.crm.example/v1')
  await page.getByRole('button', { name: 'Create function' }).click()
  await heading('default:crm')
  expect(await server.api('GET', '/api/v1/functions/default:crm')).toMatchObject({
    version: {
      secrets: ['CRM_TOKEN'],
      egress: [{ methods: ['GET', 'POST'], host: 'api.crm.example', path: '/v1', scheme: 'https' }],
    },
  })
  await page
    .getByRole('tab', { name: 'Versions' })
    .or(page.getByRole('link', { name: 'Versions' }))
    .first()
    .click()
  await page.getByText('GET,POST https://api.crm.example/v1').first().waitFor()

  // While it is named, it stays; a version without it lets it go.
  await page.goto('/console/secrets/CRM_TOKEN')
  await page.getByRole('link', { name: 'default:crm' }).click()
  await heading('default:crm')
  await page.getByRole('button', { name: 'Remove rule 1' }).click()
  await page.getByLabel('Secrets', { exact: false }).fill('')
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByText('v2', { exact: true }).first().waitFor()
  expect(await server.api('GET', '/api/v1/functions/default:crm')).toMatchObject({
    version: { secrets: [], egress: [] },
  })
  await page.goto('/console/secrets/CRM_TOKEN?panel=delete')
  const gone = page.getByRole('dialog', { name: 'Remove CRM_TOKEN?' })
  await gone.getByLabel('Type CRM_TOKEN to confirm').fill('CRM_TOKEN')
  await gone.getByRole('button', { name: 'Remove' }).click()
  await heading('Secrets')
})
