/** A house in which something has happened: agents, a credential, a function, runs and their facts. */

import { vi } from 'vitest'
import type { Server } from './server'

export type Known = Record<'agent' | 'fn' | 'run' | 'fact', string>

const code = `def handler(input, context):
    """Availability of each service over its checks."""
    found = {}
    for row in input["checks"]:
        found.setdefault(row["service"], []).append(row["ok"])
    print(sum(len(oks) for oks in found.values()), "checks of", len(found), "services")
    return {"availability": {name: sum(oks) / len(oks) for name, oks in found.items()}}
`

/** Something of everything, made through the API. */
export async function furnish({ api }: Server): Promise<Known> {
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
  // The list follows the ledger; the fact itself is there already.
  const fact = await vi.waitFor(
    async () => {
      const { items } = await api<{ items: { id: string }[] }>('GET', `/api/v1/audit/events?run=${run.id}`)
      if (!items[0]) throw new Error('the fact of the run is not listed yet')
      return items[0].id
    },
    { timeout: 30_000 },
  )
  return { agent: agent.id, fn: fn.id, run: run.id, fact }
}
