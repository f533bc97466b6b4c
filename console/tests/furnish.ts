/** A house in which something has happened: agents, a credential, a function, runs and their facts. */

import { vi } from 'vitest'
import type { Server } from './server'

export type Known = Record<'agent' | 'fn' | 'run' | 'hook' | 'fact' | 'person' | 'group', string>

const code = `def handler(input, context):
    """Availability of each service over its checks."""
    found = {}
    for row in input["checks"]:
        found.setdefault(row["service"], []).append(row["ok"])
    print(sum(len(oks) for oks in found.values()), "checks of", len(found), "services")
    return {"availability": {name: sum(oks) / len(oks) for name, oks in found.items()}}
`

/** Something of everything, made through the API. */
export async function furnish(server: Server): Promise<Known> {
  const { api } = server
  const agent = await api<{ id: string }>('POST', '/api/v1/agents', {
    namespace: 'ops',
    name: 'triage',
    display_name: 'Triage',
    description: 'Looks at new incidents and decides who is woken.',
    type: 'router',
    permissions: ['functions/ops/*:execute', 'runs:read:own'],
    tags: ['pager', 'tier-1'],
    metadata: { team: 'sre' },
  })
  await api('POST', '/api/v1/agents', {
    namespace: 'billing',
    name: 'invoices',
    type: 'extractor',
    deployment_env: 'staging',
  })
  const third = await api<{ id: string }>('POST', '/api/v1/agents', {
    namespace: 'lab',
    name: 'papers',
    type: 'summarizer',
  })
  await api('POST', `/api/v1/agents/${third.id}/suspend`, { reason: 'unusual calls at night' })
  const expires_at = new Date(Date.now() + 3 * 86_400_000).toISOString()
  await api('POST', `/api/v1/agents/${agent.id}/credentials`, {
    kind: 'secret',
    label: 'kubernetes',
    expires_at,
  })
  const fn = await api<{ id: string }>('POST', '/api/v1/functions', {
    namespace: 'ops',
    name: 'availability',
    description: 'Availability per service',
    runtime: 'python',
    code,
    input_schema: { type: 'object', properties: { checks: { type: 'array' } }, required: ['checks'] },
  })
  const checks = ['api', 'api', 'web', 'web', 'mail'].map((service, at) => ({ service, ok: at !== 1 }))
  const run = await api<{ id: string }>('POST', `/api/v1/functions/${fn.id}/execute`, { input: { checks } })
  await api('POST', `/api/v1/functions/${fn.id}/execute`, { input: { checks: [{ service: 'api' }] } }).catch(
    () => undefined,
  )
  await remembered(server)
  await filed(server)
  const hook = await hooked(server)
  // The list follows the ledger; the fact itself is there already.
  const fact = await vi.waitFor(
    async () => {
      const { items } = await api<{ items: { id: string }[] }>('GET', `/api/v1/audit/events?run=${run.id}`)
      if (!items[0]) throw new Error('the fact of the run is not listed yet')
      return items[0].id
    },
    { timeout: 30_000 },
  )
  return { agent: agent.id, fn: fn.id, run: run.id, hook, fact, ...(await people(server, agent.id)) }
}

/** A hook that something has come in to, and something that was not believed. */
async function hooked({ api, url }: Server): Promise<string> {
  const hook = await api<{ id: string; url: string; path: string }>('POST', '/api/v1/hooks', {
    path: 'alerts/{service}',
    description: 'Alerts of the monitoring.',
    target: { function: 'ops:availability' },
    authentication: { kind: 'basic', username: 'monitor' },
    secret: 'a secret of the furniture',
    deduplication: { header: 'X-Alert' },
  })
  const authorization = `Basic ${btoa('monitor:a secret of the furniture')}`
  const body = JSON.stringify({ checks: [{ service: 'api', ok: true }] })
  const to = new URL(new URL(hook.url.replace('{service}', 'api')).pathname, url)
  for (const headers of [{ authorization }, {}] as Record<string, string>[]) {
    await fetch(to, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })
  }
  return hook.id
}

/** A namespace with entries that have been other things before. */
async function remembered({ api }: Server): Promise<void> {
  await api('POST', '/api/v1/secrets', {
    name: 'PAGER_TOKEN',
    description: 'Of the pager of the night shift.',
    value: 'only-a-test-knows-this',
    hosts: ['api.pager.example'],
  })
  await api('POST', '/api/v1/state', {
    name: 'incidents',
    description: 'What triage has seen.',
    default_visibility: 'organization',
    history_depth: 10,
    schema: { type: 'object', properties: { status: { type: 'string' } } },
  })
  for (const status of ['open', 'closed']) {
    await api('PUT', '/api/v1/state/incidents/entries/2026/17', {
      value: { status, woken: ['ada', 'mia'] },
      description: 'Mail is slow',
      tags: ['mail', 'night'],
      relevance_score: 0.8,
    })
  }
  await api('POST', '/api/v1/state', { name: 'tokens', secret: true })
  await api('PUT', '/api/v1/state/tokens/entries/pager', { value: 'hidden' })
}

/** A collection with a file that has been another before, and a link to it. */
async function filed({ api }: Server): Promise<void> {
  await api('POST', '/api/v1/collections', {
    name: 'reports',
    description: 'What the night has brought.',
    default_visibility: 'organization',
    schema: { type: 'object', properties: { status: { type: 'string' } } },
  })
  const at = '/api/v1/collections/reports/files/2026/monday.txt'
  for (const content of ['All is well.', 'All is well again.']) {
    await api(
      'PUT',
      `${at}?description=Of%20the%20night&tags=night,mail&metadata=%7B%22status%22%3A%22final%22%7D`,
      content,
    )
  }
  await api('POST', '/api/v1/collections/reports/links/2026/monday.txt', { expires_in: 604800 })
}

/** Who is asked for, invited and grouped; another organization on its way out; a role and keys. */
async function people({ api, people }: Server, agent: string): Promise<Record<'person' | 'group', string>> {
  const person = people.Mia?.id ?? ''
  await api('PATCH', '/api/v1/orgs/home', {
    settings: {
      time_zone: 'Europe/Zurich',
      session_lifetime_seconds: 43_200,
      notification_addresses: ['ops@example.com'],
      maximum_age_seconds: { production: { credentials: 7_776_000, keys: 2_592_000 } },
    },
  })
  await api('POST', '/api/v1/domains', { name: 'example.com' })
  await api('POST', '/api/v1/orgs', { slug: 'acme', name: 'Acme Research and Development' })
  await api('DELETE', '/api/v1/orgs/acme', { slug: 'acme' })
  await api('POST', '/api/v1/invitations', {
    email: 'ada.lovelace@example.org',
    roles: ['member', 'auditor'],
  })
  const group = await api<{ id: string }>('POST', '/api/v1/groups', {
    name: 'Night shift',
    description: 'Awake when others sleep',
    external_group_id: 'cn=night,ou=ops',
  })
  for (const member of [person, agent]) await api('POST', `/api/v1/groups/${group.id}/members`, { member })
  await api('POST', '/api/v1/grants', { principal: group.id, role: 'auditor' })
  await api('POST', '/api/v1/roles', {
    name: 'releaser',
    description: 'Brings releases out',
    permissions: ['functions/release/*:execute:all', 'functions:read:all', 'runs:read:own'],
  })
  await api('POST', '/api/v1/grants', { principal: person, role: 'releaser' })
  await api('POST', '/api/v1/api-keys', {
    name: 'nightly report',
    permissions: ['agents:read', 'runs:read:all'],
    allowed_ips: ['10.0.0.0/8'],
  })
  await api('POST', '/api/v1/api-keys', { name: 'pager', permissions: ['runs:read'], owner: agent })
  return { person, group: group.id }
}
