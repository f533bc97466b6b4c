import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signIn, startBrowser, type Visit, visit } from '../browser'
import { type Dns, startDns } from '../dns'
import { person, prove } from '../people'
import { type Server, startServer } from '../server'

let server: Server
let dns: Dns
let browser: Browser
let mine: Visit
let page: Page
beforeAll(async () => {
  dns = await startDns()
  server = await startServer({}, { 'dns.servers': dns.address })
  browser = await startBrowser()
  mine = await visit(browser, server)
  page = mine.page
  await signIn(server, mine)
})
afterAll(async () => {
  expect(mine?.complaints).toEqual([])
  await browser?.close()
  await server?.stop()
  dns?.stop()
})

const heading = (name: string) => page.getByRole('heading', { name, level: 1 }).waitFor()
const row = (words: string) => page.getByRole('row').filter({ hasText: words })

async function owner(): Promise<string> {
  const { items } = await server.api<{ items: { user: string }[] }>('GET', '/api/v1/members?role=owner')
  return items[0]?.user ?? ''
}

/** Invites in the panel; answers the link that is shown once. */
async function invite(email: string): Promise<string> {
  await page.goto('/console/members?panel=invite')
  const form = page.getByRole('dialog', { name: 'Invite' })
  await form.getByLabel('E-mail').fill(email)
  await form.getByRole('button', { name: 'Invite' }).click()
  const shown = page.getByRole('dialog', { name: `Send this link to ${email}` })
  const link = (await shown.getByRole('region', { name: 'Link' }).textContent()) ?? ''
  await shown.getByRole('button', { name: 'I have copied it' }).click()
  return link
}

test('somebody new comes in by an invitation, which then is spent', async () => {
  const link = await invite('ada@example.org')
  expect(link).toMatch(/\/console\/invitation#[0-9A-Za-z]{43}$/)
  const secret = link.split('#')[1] ?? ''
  expect(await page.evaluate(() => document.documentElement.outerHTML)).not.toContain(secret)

  const ada = await visit(browser, server)
  await ada.page.goto(link)
  await ada.page.getByRole('heading', { name: 'You are invited' }).waitFor()
  expect(ada.page.url()).toBe(`${server.url}/console/invitation`)
  await ada.page.getByLabel('Your name').fill('Ada Lovelace')
  await ada.page.getByRole('button', { name: 'Accept' }).click()
  await ada.page.getByRole('heading', { name: 'Home', level: 1 }).waitFor()
  await ada.page.getByRole('button', { name: 'Account of Ada Lovelace' }).waitFor()
  expect(ada.complaints).toEqual([])
  await ada.context.close()

  const late = await visit(browser, server)
  await late.page.goto(link)
  await late.page.getByRole('button', { name: 'Accept' }).click()
  await late.page.getByRole('alert').getByText(/req_/).waitFor()
  await late.context.close()

  await page.goto('/console/members?tab=invitations')
  await row('ada@example.org').getByText('Accepted').waitFor()
  await page.goto('/console/members')
  await row('Ada Lovelace').getByText('member', { exact: true }).waitFor()
})

test('an invitation gets a new link, which voids the old one, and is taken back', async () => {
  const old = await invite('grace@example.org')
  await page.getByRole('link', { name: 'Invitations' }).click()
  const actions = page.getByRole('button', { name: 'Actions for grace@example.org' })
  await actions.click()
  await page.getByRole('menuitem', { name: 'New link' }).click()
  await page
    .getByRole('dialog', { name: 'Make a new link for grace@example.org?' })
    .getByRole('button', { name: 'New link' })
    .click()
  const shown = page.getByRole('dialog', { name: 'Send this link to grace@example.org' })
  expect(await shown.getByRole('region', { name: 'Link' }).textContent()).not.toBe(old)
  await shown.getByRole('button', { name: 'I have copied it' }).click()
  const late = await visit(browser, server)
  await late.page.goto(old)
  await late.page.getByRole('button', { name: 'Accept' }).click()
  await late.page.getByRole('alert').getByText(/req_/).waitFor()
  await late.context.close()

  await actions.click()
  await page.getByRole('menuitem', { name: 'Take back' }).click()
  const dialog = page.getByRole('dialog', { name: 'Take back the invitation of grace@example.org?' })
  await dialog.getByLabel(/^Type/).fill('grace@example.org')
  await dialog.getByRole('button', { name: 'Take back' }).click()
  await row('grace@example.org').getByText('Revoked').waitFor()
  expect(await actions.count()).toBe(0)
  await page.getByLabel('Status').selectOption('open')
  await page.getByText('Nothing matches these filters').waitFor()
})

test('somebody who is signed in joins, and stands in the new organization', async () => {
  await server.api('POST', '/api/v1/orgs', { slug: 'acme', name: 'Acme' })
  await page.goto('/console/orgs')
  await page.getByRole('button', { name: 'Switch to Acme' }).click()
  await page.getByRole('button', { name: 'Organization: Acme' }).waitFor()
  const link = await invite('linus@example.org')
  await page.goto('/console/orgs')
  await page.getByRole('button', { name: 'Switch to Home' }).click()
  await page.getByRole('button', { name: 'Organization: Home' }).waitFor()

  const linus = await visit(browser, server)
  await linus.page.goto(await invite('linus@example.org'))
  await linus.page.getByRole('button', { name: 'Accept' }).click()
  await linus.page.getByRole('button', { name: 'Organization: Home' }).waitFor()
  await linus.page.goto(link)
  await linus.page.getByText('You are signed in as linus').waitFor()
  await linus.page.getByRole('button', { name: 'Accept' }).click()
  await linus.page.getByRole('button', { name: 'Organization: Acme' }).waitFor()
  expect(linus.complaints).toEqual([])
  await linus.context.close()
})

test('the last owner keeps the role and stays, and both are explained', async () => {
  const user = await owner()
  await page.goto(`/console/members/${user}?panel=roles`)
  const form = page.getByRole('dialog', { name: /^Roles of/ })
  await form.getByRole('checkbox', { name: /^owner/ }).uncheck()
  await form.getByRole('button', { name: 'Save changes' }).click()
  await form.getByRole('alert').getByText('owner', { exact: false }).first().waitFor()
  await form.getByRole('alert').getByText(/req_/).waitFor()
  await page.goto(`/console/members/${user}?panel=remove`)
  const removing = page.getByRole('dialog', { name: /^Remove/ })
  const label = await removing.getByText(/^Type .* to confirm$/).textContent()
  await removing.getByLabel(/^Type/).fill(/^Type (.*) to confirm$/.exec(label ?? '')?.[1] ?? '')
  await removing.getByRole('button', { name: 'Remove' }).click()
  await removing.getByRole('alert').getByText(/req_/).waitFor()
  expect(await server.api('GET', `/api/v1/members/${user}`)).toMatchObject({ roles: ['operator', 'owner'] })
})

test('a member gets other roles, passes its agents on and is removed', async () => {
  await prove(server, dns, 'example.com')
  const user = await person(server, 'mia@example.com', 'Mia')
  const agent = await server.api<{ id: string }>('POST', '/api/v1/agents', { name: 'mias', owner: user })
  await page.goto('/console/members?q=mia')
  await page.getByRole('link', { name: /Mia/ }).click()
  await heading('Mia')
  await page.getByRole('button', { name: 'Change roles' }).click()
  const form = page.getByRole('dialog', { name: 'Roles of Mia' })
  await form.getByRole('checkbox', { name: /^auditor/ }).check()
  await form.getByRole('button', { name: 'Save changes' }).click()
  await form.waitFor({ state: 'detached' })
  expect(await server.api('GET', `/api/v1/members/${user}`)).toMatchObject({ roles: ['auditor', 'member'] })

  await page
    .getByRole('navigation', { name: 'Parts of the person' })
    .getByRole('link', { name: 'Agents' })
    .click()
  await row('default:mias').waitFor()
  await page.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Remove' }).click()
  const dialog = page.getByRole('dialog', { name: 'Remove Mia?' })
  const heir = dialog.getByRole('combobox', { name: /^Their agents pass to/ })
  await heir.fill('ada')
  await dialog.getByRole('option', { name: /Ada Lovelace/ }).waitFor()
  await heir.press('Enter')
  await dialog.getByText(/^Person usr_/).waitFor()
  await dialog.getByLabel(/^Type/).fill('mia@example.com')
  await dialog.getByRole('button', { name: 'Remove' }).click()
  await heading('People')
  await row('Ada Lovelace').waitFor()
  expect(await row('mia@example.com').count()).toBe(0)
  const { items } = await server.api<{ items: { user: string }[] }>('GET', '/api/v1/members?q=ada')
  expect(await server.api('GET', `/api/v1/agents/${agent.id}`)).toMatchObject({
    status: 'active',
    owner: { id: items[0]?.user },
  })
})

test('the organization suspends inside its domains, an operator anywhere', async () => {
  const inside = await person(server, 'bob@example.com', 'Bob')
  await page.goto(`/console/members/${inside}`)
  await page.getByRole('button', { name: 'Suspend', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Suspend Bob?' })
  await dialog.getByLabel('Reason').fill('lost laptop')
  await dialog.getByRole('button', { name: 'Suspend' }).click()
  await page.getByText('Suspended', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Reactivate', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Reactivate' }).click()
  await page.getByText('Active', { exact: true }).waitFor()

  const { items } = await server.api<{ items: { user: string }[] }>('GET', '/api/v1/members?q=ada')
  const outside = items[0]?.user ?? ''
  await page.goto(`/console/members/${outside}?panel=suspend`)
  await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click()
  await page.getByRole('dialog').getByRole('alert').getByText(/req_/).waitFor()
  expect(await server.api('GET', `/api/v1/members/${outside}`)).toMatchObject({ status: 'active' })
  await page.goto(`/console/members/${outside}`)
  await page.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Suspend on the whole instance' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click()
  await page.getByText('Suspended', { exact: true }).waitFor()
  await page.goto(`/console/members?status=suspended`)
  await row('Ada Lovelace').waitFor()
  await page.goto(`/console/members/${outside}?panel=reactivate-everywhere`)
  await page.getByRole('dialog').getByRole('button', { name: 'Reactivate' }).click()
  await page.getByText('Active', { exact: true }).waitFor()
})

test('a person is created inside a proved domain and nowhere else', async () => {
  await page.goto('/console/members?panel=create')
  const form = page.getByRole('dialog', { name: 'Create person' })
  await form.getByLabel('E-mail').fill('eve@elsewhere.example')
  await form.getByLabel('Display name').fill('Eve')
  await form.getByRole('button', { name: 'Create person' }).click()
  await form.getByRole('alert').getByText(/req_/).waitFor()
  await form.getByLabel('E-mail').fill('eve@example.com')
  await form.getByRole('button', { name: 'Create person' }).click()
  await heading('Eve')
  await page.getByText('eve@example.com').waitFor()
})

test('many people are imported, and each has an outcome of its own', async () => {
  await page.goto('/console/members')
  await page.getByRole('button', { name: 'Import people' }).click()
  await heading('Import people')
  const act = page.getByRole('button', { name: 'Import', exact: true })
  await page.getByLabel('Provider').fill('ldap')
  const people = page.getByRole('textbox', { name: 'People' })
  await people.fill('7,no head')
  expect(await act.getAttribute('aria-disabled')).toBe('true')
  await page.getByLabel('File').setInputFiles({
    name: 'people.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(
      'external_id,email,display_name,roles\n1,alan@example.com,"Turing, Alan",member\n2,bob@example.com,Bob,\n3,kim@other.example,Kim,member\n',
    ),
  })
  await page.getByText('3 people were read.').waitFor()
  await act.click()
  const created = row('Created')
  await created.waitFor()
  expect(await created.textContent()).toMatch(/^1/)
  await row('Linked').waitFor()
  expect(await row('Refused').textContent()).toMatch(/^3/)
  await act.click()
  await expect.poll(() => row('Unchanged').count()).toBe(2)
  await created.waitFor({ state: 'detached' })
  expect(await server.api('GET', '/api/v1/members?q=turing')).toMatchObject({
    items: [{ display_name: 'Turing, Alan', roles: ['member'] }],
  })
})

test('an agent that waits for approval is approved, another turned away', async () => {
  await server.api('PATCH', '/api/v1/orgs/home', { settings: { new_agents_need_approval: true } })
  const one = await server.api<{ id: string }>('POST', '/api/v1/agents', {
    namespace: 'ops',
    name: 'waiting',
  })
  const two = await server.api<{ id: string }>('POST', '/api/v1/agents', {
    namespace: 'ops',
    name: 'unwanted',
  })
  await page.goto('/console/')
  await page.getByRole('link', { name: '2 agents wait for approval' }).click()
  await page.getByRole('link', { name: /ops:waiting/ }).click()
  await heading('waiting')
  await page.getByRole('button', { name: 'Approve' }).click()
  await page
    .getByRole('dialog', { name: 'Approve waiting?' })
    .getByRole('button', { name: 'Approve' })
    .click()
  await page.getByText('Active', { exact: true }).waitFor()
  expect(await server.api('GET', `/api/v1/agents/${one.id}`)).toMatchObject({ status: 'active' })
  await page.goto(`/console/agents/${two.id}?panel=reject`)
  const dialog = page.getByRole('dialog', { name: 'Reject unwanted?' })
  await dialog.getByLabel('Reason').fill('nobody knows it')
  await dialog.getByLabel(/^Type/).fill('ops:unwanted')
  await dialog.getByRole('button', { name: 'Reject' }).click()
  await page.getByText('Decommissioned', { exact: true }).waitFor()
  await server.api('PATCH', '/api/v1/orgs/home', { settings: { new_agents_need_approval: false } })
})
