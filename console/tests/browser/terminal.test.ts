/** Every change shows its command. Here each of them is taken from the page and run by the real command line. */

import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signIn, startBrowser, visit } from '../browser'
import { type Server, startServer } from '../server'

let server: Server
let browser: Browser
let page: Page
beforeAll(async () => {
  server = await startServer({ Mia: 'member', Nora: '' })
  browser = await startBrowser()
  const mine = await visit(browser, server)
  page = mine.page
  await signIn(server, mine)
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

/** The command that the form shows. */
async function command(within: Locator | Page): Promise<string> {
  await within.getByText('The same from a terminal').click()
  return (await within.getByRole('region', { name: 'Command' }).textContent()) ?? ''
}

const agent = () => server.api<{ id: string; status: string }>('GET', '/api/v1/agents/ops:night_watch')

test('register an agent', async () => {
  await page.goto('/console/agents?panel=new')
  const panel = page.getByRole('dialog')
  await panel.getByLabel('Namespace').fill('ops')
  await panel.getByLabel('Name', { exact: true }).fill('night_watch')
  await panel.getByLabel('Display name').fill('Ada’s "night" watch')
  await panel.getByLabel('Type').selectOption('monitor')
  await panel.getByLabel('Permissions').fill('functions:execute:all\nruns:read:own')
  await server.shell(await command(panel))
  expect(await agent()).toMatchObject({
    display_name: 'Ada’s "night" watch',
    type: 'monitor',
    permissions: ['functions:execute:all', 'runs:read:own'],
  })
})

test('change an agent', async () => {
  const { id } = await agent()
  await server.api('PATCH', `/api/v1/agents/${id}`, { tags: ['old'], metadata: { team: 'sre', old: 1 } })
  await page.goto(`/console/agents/${id}?panel=edit`)
  const panel = page.getByRole('dialog')
  await panel.getByLabel('Description').fill("- it's “late”")
  await panel.getByLabel('Environment').selectOption('staging')
  await panel.getByLabel('Permissions').fill('')
  await panel.getByLabel('Tags').fill('')
  await panel.getByLabel('Capabilities').fill('incidents:triage doors:close')
  await panel.getByLabel('Metadata').fill('{"team": "sre", "shift": {"from": 22}}')
  await server.shell(await command(panel))
  expect(await agent()).toMatchObject({
    description: "- it's “late”",
    deployment_env: 'staging',
    permissions: [],
    tags: [],
    capabilities: ['incidents:triage', 'doors:close'],
    metadata: { team: 'sre', shift: { from: 22 } },
  })
})

test('create, rotate and revoke a credential', async () => {
  const { id } = await agent()
  await page.goto(`/console/agents/${id}?tab=credentials`)
  await page.getByRole('button', { name: 'Create credential' }).click()
  await page.getByRole('dialog').getByLabel('Label').fill('night shift')
  await server.shell(`${await command(page.getByRole('dialog'))} --out secret.txt`)
  await page.reload()
  for (const [item, flags] of [
    ['Rotate', ' --out rotated.txt'],
    ['Revoke', ' --yes'],
  ] as const) {
    await page.getByRole('button', { name: 'Actions for night shift' }).last().click()
    await page.getByRole('menuitem', { name: item }).click()
    await server.shell((await command(page.getByRole('dialog'))) + flags)
    await page.reload()
  }
  await page.getByText('Revoked', { exact: true }).waitFor()
})

test('suspend, reactivate and kill an agent', async () => {
  const { id } = await agent()
  for (const [panel, status] of [
    ['suspend', 'suspended'],
    ['reactivate', 'active'],
    ['kill', 'suspended'],
  ]) {
    await page.goto(`/console/agents/${id}?panel=${panel}`)
    await server.shell(`${await command(page.getByRole('dialog'))} --yes`)
    expect(await agent()).toMatchObject({ status })
  }
})

test('retire an agent', async () => {
  const { id } = await agent()
  await page.goto(`/console/agents/${id}?panel=decommission`)
  await server.shell(`${await command(page.getByRole('dialog'))} --yes`)
  expect(await agent()).toMatchObject({ status: 'decommissioned' })
})

test('end a session', async () => {
  const other = await visit(browser, server)
  await signIn(server, other)
  await page.goto('/console/account/sessions')
  await page
    .getByRole('row')
    .filter({ hasText: 'Chrome' })
    .filter({ hasNotText: 'This browser' })
    .getByRole('button', { name: 'End' })
    .click()
  await server.shell(`${await command(page.getByRole('dialog'))} --yes`)
  await other.page.reload()
  await other.page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await other.context.close()
})

test('push, run and delete a function', async () => {
  await page.goto('/console/functions/new')
  await page.getByLabel('Namespace').fill('math')
  await page.getByLabel('Name', { exact: true }).fill('double')
  await page.getByLabel('Description').fill('Doubles a number')
  await page.getByLabel('Time limit').fill('7')
  const code = await page.getByRole('textbox', { name: 'Code' }).inputValue()
  await server.shell(await command(page), { 'handler.py': code })
  const fn = await server.api<{ id: string }>('GET', '/api/v1/functions/math:double')
  expect(fn).toMatchObject({ description: 'Doubles a number', version: { timeout_seconds: 7, code } })

  await page.goto(`/console/functions/${fn.id}?tab=test`)
  await page.getByRole('textbox', { name: 'Input' }).fill('{"n": 21}')
  expect(await server.shell(await command(page))).toContain('"twice"')

  await page.goto(`/console/functions/${fn.id}`)
  await server.shell(await command(page), { 'handler.py': code.replace('twice', 'double') })
  expect(await server.api('GET', `/api/v1/functions/${fn.id}`)).toMatchObject({ versions: 2 })

  await page.goto(`/console/functions/${fn.id}?panel=delete`)
  await server.shell(`${await command(page.getByRole('dialog'))} --yes`)
  await page.goto('/console/functions')
  await page.getByText('No functions yet').waitFor()
})

test('what empty places suggest, and the proof of a fact offline', async () => {
  await page.goto('/console/audit?kind=agent.killed')
  await page.getByRole('link', { name: 'agent.killed' }).click()
  await page.getByText('Check it without this server').click()
  const shown = (await page.getByRole('region', { name: 'Command' }).textContent()) ?? ''
  expect(await server.shell(shown)).not.toBe('')
})

const dialog = () => page.getByRole('dialog')

test('change an organization; found one, let it go, bring it back', async () => {
  await page.goto('/console/org?panel=edit')
  await dialog().getByLabel('Billing e-mail').fill('bills@example.com')
  await dialog().getByLabel('Time zone').fill('Europe/Zurich')
  await dialog().getByLabel('Sessions end after').fill('1,5')
  await dialog().getByLabel('New agents need approval').check()
  await dialog().getByLabel('Notified').fill('ops@example.com boss@example.com')
  await dialog().getByLabel('Production: Credentials').fill('90')
  await dialog().getByLabel('Staging: API keys').fill('1')
  await server.shell(await command(dialog()))
  const settings = {
    time_zone: 'Europe/Zurich',
    session_lifetime_seconds: 5_400,
    new_agents_need_approval: true,
    notification_addresses: ['ops@example.com', 'boss@example.com'],
    maximum_age_seconds: { production: { credentials: 7_776_000 }, staging: { keys: 86_400 } },
  }
  expect(await server.api('GET', '/api/v1/org')).toMatchObject({
    billing_email: 'bills@example.com',
    settings,
  })
  await page.goto('/console/org?panel=edit')
  for (const label of [
    'Billing e-mail',
    'Time zone',
    'Sessions end after',
    'Notified',
    'Production: Credentials',
  ])
    await dialog().getByLabel(label).fill('')
  await dialog().getByLabel('New agents need approval').uncheck()
  await server.shell(await command(dialog()))
  expect(await server.api('GET', '/api/v1/org')).toMatchObject({
    billing_email: null,
    settings: {
      time_zone: null,
      session_lifetime_seconds: null,
      new_agents_need_approval: false,
      notification_addresses: [],
      maximum_age_seconds: { production: { credentials: null }, staging: { keys: 86_400 } },
    },
  })

  await page.goto('/console/orgs?panel=new')
  await dialog().getByLabel('Name', { exact: true }).fill("Ada's lab")
  await dialog().getByLabel('Slug').fill('adas-lab')
  await server.shell(await command(dialog()))
  await page.goto('/console/orgs/adas-lab?panel=delete')
  await server.shell(`${await command(dialog())} --yes`)
  expect(await server.api('GET', '/api/v1/orgs/adas-lab')).toMatchObject({
    name: "Ada's lab",
    status: 'leaving',
  })
  await page.goto('/console/orgs/adas-lab')
  await server.shell(await command(page))
  expect(await server.api('GET', '/api/v1/orgs/adas-lab')).toMatchObject({ status: 'active' })
})

test('claim a domain and give it up', async () => {
  await page.goto('/console/org?tab=domains&panel=claim')
  await dialog().getByLabel('Domain').fill('example.com')
  await server.shell(await command(dialog()))
  await page.goto('/console/org?tab=domains')
  await page.getByRole('button', { name: 'Give up' }).click()
  await server.shell(`${await command(dialog())} --yes`)
  await page.reload()
  await page.getByText('No domains yet').waitFor()
})

test('invite, make a new link, take back', async () => {
  await page.goto('/console/members?panel=invite')
  await dialog().getByLabel('E-mail').fill('ada@example.com')
  await dialog()
    .getByRole('checkbox', { name: /^auditor/ })
    .check()
  expect(await server.shell(await command(dialog()))).toContain('/console/invitation#')
  for (const [item, flags] of [
    ['New link', ''],
    ['Take back', ' --yes'],
  ] as const) {
    await page.goto('/console/members?tab=invitations')
    await page.getByRole('button', { name: 'Actions for ada@example.com' }).click()
    await page.getByRole('menuitem', { name: item }).click()
    await server.shell((await command(dialog())) + flags)
  }
  expect(await server.api('GET', '/api/v1/invitations')).toMatchObject({
    items: [{ status: 'revoked', roles: ['member', 'auditor'] }],
  })
})

test('change the roles of a member, suspend it, let it back and remove it', async () => {
  const user = server.people.Mia?.id ?? ''
  await page.goto(`/console/members/${user}?panel=roles`)
  await dialog()
    .getByRole('checkbox', { name: /^auditor/ })
    .check()
  await server.shell(await command(dialog()))
  expect(await server.api('GET', `/api/v1/members/${user}`)).toMatchObject({ roles: ['auditor', 'member'] })
  for (const [panel, status] of [
    ['suspend-everywhere', 'suspended'],
    ['reactivate-everywhere', 'active'],
  ]) {
    await page.goto(`/console/members/${user}?panel=${panel}`)
    await server.shell(`${await command(dialog())} --yes`)
    expect(await server.api('GET', `/api/v1/members/${user}`)).toMatchObject({ status })
  }
  // Outside its domains the organization may not; the command is the right one all the same.
  await page.goto(`/console/members/${user}?panel=suspend`)
  await expect(server.shell(`${await command(dialog())} --yes`)).rejects.toThrow('outside_domains')
  await page.goto(`/console/members/${user}?panel=remove`)
  await server.shell(`${await command(dialog())} --yes`)
  await expect(server.api('GET', `/api/v1/members/${user}`)).rejects.toThrow('404')
})

test('import people', async () => {
  await page.goto('/console/members/import')
  await page.getByLabel('Provider').fill('ldap')
  const entries = [{ external_id: '7', email: 'ada@example.com', display_name: 'Ada' }]
  await page.getByRole('textbox', { name: 'People' }).fill(JSON.stringify(entries))
  const shown = await command(page)
  const said = await server.shell(shown, { 'people.json': JSON.stringify({ provider: 'ldap', entries }) })
  expect(said).toContain('refused')
})

test('make a group, change it, fill it, empty it, end it', async () => {
  await page.goto('/console/groups?panel=new')
  await dialog().getByLabel('Name', { exact: true }).fill("Ada's crew")
  await dialog().getByLabel('External id').fill('cn=crew,ou=ops')
  await server.shell(await command(dialog()))
  const { items } = await server.api<{ items: { id: string }[] }>('GET', '/api/v1/groups')
  const id = items[0]?.id
  await page.goto(`/console/groups/${id}?panel=edit`)
  await dialog().getByLabel('Description').fill('by night')
  await dialog().getByLabel('External id').fill('')
  await server.shell(await command(dialog()))
  expect(await server.api('GET', `/api/v1/groups/${id}`)).toMatchObject({
    name: "Ada's crew",
    description: 'by night',
    external_group_id: null,
  })
  await page.goto(`/console/groups/${id}`)
  await page.getByRole('button', { name: 'Add member' }).click()
  await dialog().getByRole('combobox').fill('Nora')
  await dialog().getByRole('option').first().click()
  await server.shell(await command(dialog()))
  await page.reload()
  await page.getByRole('button', { name: 'Take out' }).click()
  await server.shell(`${await command(dialog())} --yes`)
  await page.goto(`/console/groups/${id}?panel=delete`)
  await server.shell(`${await command(dialog())} --yes`)
  await page.goto('/console/groups')
  await page.getByText('No groups yet').waitFor()
})

test('make a collection, change it, make a link to a file, remove both', async () => {
  await page.goto('/console/files?panel=new')
  await dialog().getByLabel('Name', { exact: true }).fill('papers')
  await dialog().getByLabel('Schema of metadata').fill('{"type": "object"}')
  await dialog().getByLabel('Refuse metadata that does not match').check()
  await dialog().getByLabel('Content types').fill('text/*, application/pdf')
  await server.shell(await command(dialog()))
  await page.goto('/console/files/papers?panel=edit')
  await dialog().getByLabel('Description').fill("Ada's")
  await dialog().getByLabel('Largest file').fill('1000')
  await server.shell(await command(dialog()))
  expect(await server.api('GET', '/api/v1/collections/papers')).toMatchObject({
    description: "Ada's",
    strict: true,
    content_types: ['text/*', 'application/pdf'],
    max_file_bytes: 1000,
  })
  await page.goto('/console/files/papers?panel=new')
  await dialog()
    .getByLabel('File', { exact: true })
    .setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('text') })
  await dialog().getByLabel('Name in the collection').fill('a b/c.txt')
  await dialog().getByLabel('Tags').fill('one, two')
  await server.shell(await command(dialog()), { 'a.txt': 'text' })
  const at = '/api/v1/collections/papers'
  expect(await server.api('GET', `${at}/files/a%20b/c.txt`)).toMatchObject({ size: 4, tags: ['one', 'two'] })
  await page.goto('/console/files/papers/files/a%20b/c.txt?panel=link')
  await server.shell(await command(dialog()))
  const links = await server.api<{ items: unknown[] }>('GET', `${at}/links/a%20b/c.txt`)
  expect(links.items).toHaveLength(1)
  await page.goto('/console/files/papers/files/a%20b/c.txt?panel=delete')
  await server.shell(`${await command(dialog())} --yes`)
  await page.goto('/console/files/papers?panel=delete')
  await server.shell(`${await command(dialog())} --yes`)
  await page.goto('/console/files')
  await page.getByText('No collections yet').waitFor()
})

test('make a hook, rotate its secret, remove it', async () => {
  const code = 'def handler(input, context):\n    return input\n'
  await server.api('POST', '/api/v1/functions', { namespace: 'ops', name: 'hooked', code })
  await page.goto('/console/hooks?panel=new')
  await dialog().getByLabel('Path').fill('orders/{shop}')
  await dialog().getByLabel('Function', { exact: true }).fill('ops:hooked')
  await dialog().getByLabel('Description').fill("Ada's")
  await dialog().getByLabel('Senders prove themselves by').selectOption('generic')
  await dialog().getByLabel('Before the signature').fill('v1=')
  await dialog().getByLabel('Hash').selectOption('sha512')
  await dialog().getByLabel('What the sender is answered').selectOption('async')
  await server.shell(await command(dialog()))
  const { items } = await server.api<{ items: { id: string; revision: number }[] }>('GET', '/api/v1/hooks')
  expect(items).toMatchObject([
    {
      path: 'orders/{shop}',
      description: "Ada's",
      authentication: {
        kind: 'hmac',
        preset: 'generic',
        header: 'X-Signature',
        prefix: 'v1=',
        algorithm: 'sha512',
      },
      response: 'async',
    },
  ])
  const id = items[0]?.id ?? ''
  await page.goto(`/console/hooks/${id}?panel=rotate`)
  await server.shell(await command(dialog()))
  expect(await server.api('GET', `/api/v1/hooks/${id}`)).toMatchObject({ revision: 2 })
  await page.goto(`/console/hooks/${id}?panel=delete`)
  await server.shell(`${await command(dialog())} --yes`)
  await page.goto('/console/hooks')
  await page.getByText('No hooks yet').waitFor()
})

test('make a namespace, change it, put an entry, change and remove it', async () => {
  await page.goto('/console/state?panel=new')
  await dialog().getByLabel('Name', { exact: true }).fill('notes')
  await dialog().getByLabel('Schema of values').fill('{"type": "object"}')
  await dialog().getByLabel('Refuse values that do not match').check()
  await server.shell(await command(dialog()))
  await page.goto('/console/state/notes?panel=edit')
  await dialog().getByLabel('Description').fill("Ada's")
  await dialog().getByLabel('Time to live').fill('3600')
  await server.shell(await command(dialog()))
  expect(await server.api('GET', '/api/v1/state/notes')).toMatchObject({
    description: "Ada's",
    schema: { type: 'object' },
    strict: true,
    ttl_seconds: 3600,
  })
  await page.goto('/console/state/notes?panel=new')
  await dialog().getByLabel('Key').fill('a b/c')
  await dialog().getByRole('textbox', { name: 'Value' }).fill('{"it\'s": [1]}')
  await dialog().getByLabel('Tags').fill('one, two')
  await server.shell(await command(dialog()))
  const at = '/api/v1/state/notes/entries/a%20b/c'
  expect(await server.api('GET', at)).toMatchObject({ value: { "it's": [1] }, tags: ['one', 'two'] })
  await page.goto('/console/state/notes/entries/a%20b/c')
  await page.getByLabel('Relevance').fill('0.5')
  await server.shell(await command(page))
  expect(await server.api('GET', at)).toMatchObject({ relevance_score: 0.5, revision: 2 })
  await page.goto('/console/state/notes/entries/a%20b/c?panel=delete')
  await server.shell(`${await command(dialog())} --yes`)
  await page.goto('/console/state/notes?panel=delete')
  await server.shell(`${await command(dialog())} --yes`)
  await page.goto('/console/state')
  await page.getByText('No namespaces yet').waitFor()
})

test('make a role, change it, give it, take it, delete it', async () => {
  await page.goto('/console/roles/new')
  await page.getByLabel('Name', { exact: true }).fill('releaser')
  await page.getByText('As text').click()
  await page
    .getByRole('textbox', { name: 'Permissions', exact: true })
    .fill('functions/release/*:execute:all runs:read:own')
  await server.shell(await command(page))
  await page.goto('/console/roles/releaser?panel=edit')
  await page.getByLabel('Description').fill('-')
  await page.getByText('As text').click()
  await page.getByRole('textbox', { name: 'Permissions', exact: true }).fill('runs:read:own')
  await server.shell(await command(page))
  expect(await server.api('GET', '/api/v1/roles/releaser')).toMatchObject({
    description: '-',
    permissions: ['runs:read:own'],
  })
  await page.goto('/console/roles/releaser?panel=give')
  await dialog().getByRole('combobox').fill('Nora')
  await dialog().getByRole('option').first().click()
  await server.shell(await command(dialog()))
  await page.goto('/console/roles/releaser?tab=holders')
  await page.getByRole('row').filter({ hasText: 'Nora' }).getByRole('button').click()
  await server.shell(`${await command(dialog())} --yes`)
  await page.goto('/console/roles/releaser?panel=delete')
  await server.shell(`${await command(dialog())} --yes`)
  await expect(server.api('GET', '/api/v1/roles/releaser')).rejects.toThrow('404')
})

test('make and revoke an API key', async () => {
  await page.goto('/console/api-keys?panel=new')
  await dialog().getByLabel('Name', { exact: true }).fill('nightly report')
  await dialog().getByLabel('From').fill('10.0.0.0/8, 127.0.0.1')
  await dialog().getByText('As text').click()
  await dialog().getByRole('textbox', { name: 'Permissions', exact: true }).fill('agents:read runs:read:own')
  await server.shell(`${await command(dialog())} --out key.txt`)
  await page.goto('/console/api-keys')
  await page.getByRole('button', { name: 'Revoke nightly report' }).click()
  await server.shell(`${await command(dialog())} --yes`)
  expect(await server.api('GET', '/api/v1/api-keys')).toMatchObject({
    items: [{ status: 'revoked', allowed_ips: ['10.0.0.0/8', '127.0.0.1/32'] }],
  })
})

test('approve an agent and turn another away', async () => {
  await server.api('PATCH', '/api/v1/orgs/home', { settings: { new_agents_need_approval: true } })
  for (const [panel, status] of [
    ['approve', 'active'],
    ['reject', 'decommissioned'],
  ]) {
    const { id } = await server.api<{ id: string }>('POST', '/api/v1/agents', { name: `to_${panel}` })
    await page.goto(`/console/agents/${id}?panel=${panel}`)
    await server.shell(`${await command(dialog())} --yes`)
    expect(await server.api('GET', `/api/v1/agents/${id}`)).toMatchObject({ status })
  }
})

test('ask whether somebody may do something', async () => {
  await page.goto('/console/roles?tab=check')
  await page.getByRole('combobox', { name: 'Who', exact: true }).fill('Nora')
  await page.getByRole('option', { name: /Nora/ }).click()
  await page.getByLabel('Which').fill('ops/triage')
  const asked = await command(page)
  // It says no, and by its exit code as well.
  await expect(server.shell(asked)).rejects.toThrow()
  expect(await server.shell(`${asked} --json || true`)).toContain('"permitted": false')
})
