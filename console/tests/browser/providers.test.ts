/** Providers set up, tested, switched and deleted; who may not, and what the file says. */

import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signIn, signInAs, startBrowser, visit } from '../browser'
import { looksRight } from '../look'
import { type Server, startServer } from '../server'

let server: Server
let browser: Browser
let page: Page
let complaints: string[]
beforeAll(async () => {
  server = await startServer({ Adam: 'admin', Vera: 'auditor', Eve: 'owner@elsewhere' })
  browser = await startBrowser()
  const mine = await visit(browser, server)
  ;({ page, complaints } = mine)
  await signIn(server, mine)
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

const button = (name: string, within: Locator | Page = page) =>
  within.getByRole('button', { name, exact: true })

interface Provider {
  id: string
  kind: string
  enabled: boolean
  revision: number
  default_roles: string[]
  group_roles: Record<string, string[]>
}
const listed = async (query = '') =>
  (await server.api<{ items: Provider[] }>('GET', `/api/v1/auth-providers${query}`)).items

async function command(within: Locator | Page): Promise<string> {
  await within.getByText('The same from a terminal').click()
  return (await within.getByRole('region', { name: 'Command' }).textContent()) ?? ''
}

test('one for everybody is set up by the operator, and the sign-in page offers it at once', async () => {
  await page.goto('/console/providers')
  await page.getByText('No ways to sign in yet').waitFor()
  await page.getByRole('link', { name: 'Everybody on this server' }).click()
  await button('Set up provider').click()
  const form = page.getByRole('dialog', { name: 'Set up provider' })
  await form.getByLabel('Kind').selectOption('otp')
  await form.getByLabel('Name', { exact: true }).fill('mail')
  await form.getByLabel('On the button').fill('Code by e-mail')
  await form.getByLabel('Give newcomers an account').check()
  await form.getByLabel('viewer').check()
  await form.getByLabel('Domains').fill('not a domain')
  await button('Set up provider', form).click()
  await form.getByRole('alert').getByText('/allowed_domains/0').waitFor()
  await form.getByLabel('Domains').fill('example.com')
  await looksRight(page, 'provider-new')
  await button('Set up provider', form).click()
  await page.getByRole('heading', { name: 'Code by e-mail', level: 1 }).waitFor()
  const [made] = await listed('?instance=true')
  expect(made).toMatchObject({ kind: 'otp', enabled: true, default_roles: ['member', 'viewer'] })

  const guest = await visit(browser, server)
  await guest.page.goto('/console/')
  await guest.page.getByLabel('E-mail address').waitFor()
  await guest.context.close()
  expect(complaints).toEqual([])
})

test('its test says what works', async () => {
  await button('Test').click()
  const found = page.getByRole('listitem').filter({ hasText: 'mail' })
  await found.getByText('Works').waitFor()
  await server.shell(await command(page))
  await looksRight(page, 'provider-tested')
})

test('switched off it is offered no more, and its command switches it on', async () => {
  await button('Switch off').click()
  const dialog = page.getByRole('dialog')
  await button('Switch off', dialog).click()
  await page.getByText('Switched off').waitFor()
  const guest = await visit(browser, server)
  await guest.page.goto('/console/')
  await guest.page.getByText('safeconduct admin link').waitFor()
  expect(await guest.page.getByLabel('E-mail address').count()).toBe(0)
  await guest.context.close()

  await button('Switch on').click()
  await server.shell(await command(page.getByRole('dialog')))
  expect((await listed('?instance=true'))[0]?.enabled).toBe(true)
})

test('the command of the form makes the same', async () => {
  await page.goto('/console/providers?panel=new')
  const form = page.getByRole('dialog')
  await form.getByLabel('Kind').selectOption('password')
  await form.getByLabel('Name', { exact: true }).fill('words')
  await form.getByLabel('On the button').fill('Ada’s "words"')
  await form.getByLabel('Switch it on now').uncheck()
  await form.getByLabel('Domains').fill('example.com example.org')
  // Nobody who signs in by a password comes out of a group of a directory.
  expect(await button('Add group', form).count()).toBe(0)
  await server.shell(await command(form))
  expect(await listed()).toMatchObject([
    {
      name: 'words',
      display_name: 'Ada’s "words"',
      kind: 'password',
      enabled: false,
      instance: false,
      allowed_domains: ['example.com', 'example.org'],
    },
  ])
})

test('it is edited: what differs is sent, and its page shows it at once', async () => {
  const before = (await listed('?instance=true'))[0]
  await page.goto(`/console/providers/${before?.id}`)
  await button('Edit').click()
  const form = page.getByRole('dialog', { name: 'Edit Code by e-mail' })
  expect(await button('Save changes', form).getAttribute('data-tip')).toBe('Nothing is changed yet.')
  await form.getByLabel('On the button').fill('A letter with a code')
  await form.getByLabel('Domains').fill('example.com example.org')
  await form.getByLabel('viewer').uncheck()
  await looksRight(page, 'provider-edit')
  const [request] = await Promise.all([
    page.waitForRequest((request) => request.method() === 'PATCH'),
    button('Save changes', form).click(),
  ])
  expect(request.postDataJSON()).toEqual({
    display_name: 'A letter with a code',
    default_roles: ['member'],
    allowed_domains: ['example.com', 'example.org'],
  })
  expect(request.headers()['if-match']).toBe(`"${before?.revision}"`)
  await page.getByRole('heading', { name: 'A letter with a code', level: 1 }).waitFor()
  await page.getByText('example.com, example.org').waitFor()
})

test('an edit of a kept secret replaces it, an empty one keeps it; a change of somebody else’s is followed', async () => {
  const made = await server.api<Provider>('POST', '/api/v1/auth-providers', {
    name: 'corp',
    kind: 'oidc',
    enabled: false,
    settings: { issuer: 'http://127.0.0.1:9', client_id: 'ours', client_secret: 'hush' },
  })
  await page.goto(`/console/providers/${made.id}?panel=edit`)
  const form = page.getByRole('dialog')
  const secret = form.getByLabel(/Client secret/)
  expect(await secret.inputValue()).toBe('')
  await form.getByText('Left empty, what is kept stays.').waitFor()
  await form.getByLabel(/Client id/).fill('renamed')
  // Meanwhile.
  await server.api('PATCH', `/api/v1/auth-providers/${made.id}`, { display_name: 'Theirs' })
  await button('Save changes', form).click()
  await form.getByText('Somebody changed this provider meanwhile.').waitFor()
  expect(await form.getByLabel('On the button').inputValue()).toBe('Theirs')
  expect(await form.getByLabel(/Client id/).inputValue()).toBe('renamed')
  await button('Save changes', form).click()
  await form.waitFor({ state: 'detached' })
  const kept = await server.api<Provider>('GET', `/api/v1/auth-providers/${made.id}`)
  expect(kept).toMatchObject({
    display_name: 'Theirs',
    has_secrets: true,
    settings: { client_id: 'renamed' },
  })

  // Where it is sent to is changed only together with the secret itself.
  await button('Edit').click()
  await form.getByLabel(/Issuer/).fill('http://127.0.0.1:8')
  await button('Save changes', form).click()
  await form
    .getByText(/must be sent again/)
    .first()
    .waitFor()
  await secret.fill('hush hush')
  expect(await form.textContent()).not.toContain('hush hush')
  await button('Save changes', form).click()
  await form.waitFor({ state: 'detached' })
  await page.getByRole('region', { name: 'Settings' }).getByText('127.0.0.1:8').waitFor()
  await server.api('DELETE', `/api/v1/auth-providers/${made.id}`)
})

test('roles follow groups of the directory: set up, shown, edited against the newest, and by the same command', async () => {
  await page.goto('/console/providers?panel=new')
  const form = page.getByRole('dialog')
  await form.getByLabel('Kind').selectOption('oidc')
  await form.getByLabel('Name', { exact: true }).fill('upstream')
  await form.getByLabel(/Issuer/).fill('http://127.0.0.1:9')
  await form.getByLabel(/Client id/).fill('ours')
  await form.getByLabel(/Client secret/).fill('hush')
  await button('Add group', form).press('Enter')
  // The keyboard goes on in the row that it asked for.
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label')))
    .toBe('Group 1')
  const roles = await form.getByLabel('Role 1').getByRole('option').allTextContents()
  expect(roles).toEqual(expect.arrayContaining(['admin', 'auditor', 'member', 'viewer']))
  expect(roles).not.toContain('owner')
  await form.getByLabel('Group 1').fill('cn=ops, ou=teams')
  await form.getByLabel('Role 1').selectOption('admin')
  await button('Add group', form).click()
  await form.getByLabel('Group 2').fill('all')
  await looksRight(page, 'provider-new-groups')
  await button('Set up provider', form).click()
  await page.getByRole('heading', { name: 'upstream', level: 1 }).waitFor()
  await page.getByText('cn=ops, ou=teams=admin').waitFor()
  const made = (await listed()).find(({ kind }) => kind === 'oidc')
  expect(made?.group_roles).toEqual({ 'cn=ops, ou=teams': ['admin'], all: ['member'] })

  await button('Edit').click()
  const edit = page.getByRole('dialog')
  // In the order of the server, by name.
  await edit.getByLabel('Role 1').selectOption('viewer')
  // The command changes the same; the form then learns of it, as of everybody's change.
  await server.shell(await command(edit))
  const changed = await server.api<Provider>('GET', `/api/v1/auth-providers/${made?.id}`)
  expect(changed.group_roles).toEqual({ 'cn=ops, ou=teams': ['admin'], all: ['viewer'] })
  await button('Remove cn=ops, ou=teams', edit).click()
  await looksRight(page, 'provider-edit-groups')
  const first = page.waitForRequest((request) => request.method() === 'PATCH')
  await button('Save changes', edit).click()
  expect((await first).headers()['if-match']).toBe(`"${made?.revision}"`)
  await edit.getByText('Somebody changed this provider meanwhile.').waitFor()
  expect(await edit.getByLabel('Group 2').count()).toBe(0)
  const [request] = await Promise.all([
    page.waitForRequest((request) => request.method() === 'PATCH'),
    button('Save changes', edit).click(),
  ])
  expect(request.postDataJSON()).toEqual({ group_roles: { all: ['viewer'] } })
  expect(request.headers()['if-match']).toBe(`"${changed.revision}"`)
  await edit.waitFor({ state: 'detached' })
  await server.api('DELETE', `/api/v1/auth-providers/${made?.id}`)
})

test('it is deleted by its name', async () => {
  await page.goto('/console/providers')
  await page.getByRole('link', { name: /words/ }).click()
  await button('More actions').click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  const dialog = page.getByRole('dialog')
  expect(await button('Delete', dialog).getAttribute('aria-disabled')).toBe('true')
  await dialog.getByLabel('Type words').fill('words')
  await button('Delete', dialog).click()
  await page.getByText('No ways to sign in yet').waitFor()
  expect(await listed()).toEqual([])
})

test('whoever is no operator finds the instance’s nowhere, whoever may not change nothing sees why', async () => {
  const [made] = await listed('?instance=true')
  for (const [name, missing] of [
    ['Adam', undefined],
    ['Vera', 'auth_providers:create'],
  ] as const) {
    const mine = await visit(browser, server)
    await signInAs(server, mine, server.people[name])
    await mine.page.goto('/console/providers')
    const create = button('Set up provider', mine.page)
    await create.or(mine.page.getByRole('alert')).first().waitFor()
    expect(await mine.page.getByRole('link', { name: 'Everybody on this server' }).count()).toBe(0)
    if (missing) await expect.poll(() => create.getAttribute('data-tip')).toContain(missing)
    await mine.page.goto(`/console/providers/${made?.id}`)
    await mine.page.getByRole('alert').getByText(/req_/).waitFor()
    await mine.context.close()
  }
})

test('an organization’s own signs in there only and is nobody else’s to see', async () => {
  const eve = await visit(browser, server)
  await signInAs(server, eve, server.people.Eve)
  await eve.page.goto('/console/providers?panel=new')
  const form = eve.page.getByRole('dialog')
  await form.getByText('Signs in to this organization and no other.').waitFor()
  await form.getByLabel('Kind').selectOption('password')
  await form.getByLabel('Name', { exact: true }).fill('ours')
  await button('Set up provider', form).click()
  await eve.page.getByRole('heading', { name: 'ours', level: 1 }).waitFor()
  const at = new URL(eve.page.url()).pathname
  await eve.context.close()
  await page.goto(at)
  await page.getByRole('alert').getByText(/req_/).waitFor()
  const guest = await visit(browser, server)
  await guest.page.goto('/console/sign-in?org=elsewhere')
  await guest.page.getByRole('button', { name: 'Sign in by ours' }).waitFor()
  await guest.page.goto('/console/sign-in')
  await guest.page.getByLabel('E-mail address').waitFor()
  expect(await guest.page.getByRole('button', { name: 'Sign in by ours' }).count()).toBe(0)
  await guest.context.close()
})
