/**
 * Every page in both themes, wide and on a phone: axe finds nothing serious, nothing runs out of the page sideways.
 * With SCREENSHOTS=<directory> each is also kept as a picture.
 */

import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { signIn, startBrowser, type Visit, visit } from '../browser'
import { type Server, startServer } from '../server'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const pictures = process.env.SCREENSHOTS

let server: Server
let browser: Browser
let known: Record<'agent' | 'fn' | 'run' | 'fact', string>

beforeAll(async () => {
  server = await startServer()
  browser = await startBrowser()
  known = await furnish(server)
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

interface Place {
  name: string
  path: () => string
  /** What is on the page once it is whole. */
  ready: (page: Page) => Promise<unknown>
  signedOut?: boolean
}

const heading = (name: string | RegExp) => (page: Page) =>
  page.getByRole('heading', { name, level: 1 }).waitFor()
const text = (words: string) => (page: Page) => page.getByText(words).first().waitFor()
const row = (words: string) => (page: Page) =>
  page.getByRole('row').filter({ hasText: words }).first().waitFor()
const dialog = (page: Page) => page.getByRole('dialog').waitFor()

const places: Place[] = [
  { name: 'signed-out', path: () => '/console/', ready: heading('Sign in'), signedOut: true },
  { name: 'welcome', path: () => '/console/welcome#0', ready: heading('Welcome'), signedOut: true },
  { name: 'home', path: () => '/console/', ready: row('session.started') },
  { name: 'agents', path: () => '/console/agents', ready: row('ops:triage') },
  { name: 'agent-new', path: () => '/console/agents?panel=new', ready: dialog },
  { name: 'agent', path: () => `/console/agents/${known.agent}`, ready: heading('Triage') },
  {
    name: 'agent-credentials',
    path: () => `/console/agents/${known.agent}?tab=credentials`,
    ready: text('kubernetes'),
  },
  {
    name: 'agent-activity',
    path: () => `/console/agents/${known.agent}?tab=activity`,
    ready: row('agent.created'),
  },
  { name: 'agent-kill', path: () => `/console/agents/${known.agent}?panel=kill`, ready: dialog },
  { name: 'functions', path: () => '/console/functions', ready: text('ops:availability') },
  { name: 'function-new', path: () => '/console/functions/new', ready: heading('Create function') },
  { name: 'function', path: () => `/console/functions/${known.fn}`, ready: heading('ops:availability') },
  {
    name: 'function-test',
    path: () => `/console/functions/${known.fn}?tab=test&run=${known.run}`,
    ready: text('Succeeded'),
  },
  {
    name: 'function-versions',
    path: () => `/console/functions/${known.fn}?tab=versions`,
    ready: row('v1'),
  },
  { name: 'runs', path: () => '/console/runs', ready: row('Succeeded') },
  { name: 'run', path: () => `/console/runs/${known.run}`, ready: text('availability') },
  { name: 'run-log', path: () => `/console/runs/${known.run}?tab=log`, ready: text('checks') },
  {
    name: 'run-evidence',
    path: () => `/console/runs/${known.run}?tab=evidence`,
    ready: text('Computed in this browser'),
  },
  { name: 'audit', path: () => '/console/audit', ready: row('session.started') },
  { name: 'fact', path: () => `/console/audit/${known.fact}`, ready: text('Computed in this browser') },
  { name: 'sessions', path: () => '/console/account/sessions', ready: text('This browser') },
  { name: 'not-found', path: () => '/console/nowhere', ready: heading('Not found') },
]

for (const theme of ['light', 'dark'] as const) {
  for (const width of [1440, 390]) {
    describe(`${theme} at ${width} px`, () => {
      let out: Visit
      let mine: Visit
      beforeAll(async () => {
        out = await visit(browser, server, { theme, width })
        mine = await visit(browser, server, { theme, width })
        await signIn(server, mine)
      })
      afterAll(async () => {
        await out?.context.close()
        await mine?.context.close()
      })

      test.each(places)('$name', async ({ name, path, ready, signedOut }) => {
        const { page } = signedOut ? out : mine
        await page.goto('about:blank')
        await page.goto(path())
        await ready(page)
        await page.evaluate(() => document.fonts.ready)
        if (pictures) {
          mkdirSync(pictures, { recursive: true })
          await page.screenshot({ path: join(pictures, `${name}-${theme}-${width}.png`) })
        }
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
        expect(await serious(page)).toEqual([])
      })
    })
  }
}

/** What axe finds serious or critical, by rule and element. */
async function serious(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run: (options: object) => Promise<{ violations: Violation[] }> }
    }
    interface Violation {
      id: string
      impact: string
      nodes: { html: string; failureSummary: string }[]
    }
    const { violations } = await axe.run({ resultTypes: ['violations'] })
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary}`),
      )
  })
}

const code = `def handler(input, context):
    """Availability of each service over its checks."""
    found = {}
    for row in input["checks"]:
        found.setdefault(row["service"], []).append(row["ok"])
    print(sum(len(oks) for oks in found.values()), "checks of", len(found), "services")
    return {"availability": {name: sum(oks) / len(oks) for name, oks in found.items()}}
`

/** Something of everything, made through the API. */
async function furnish({ api }: Server): Promise<typeof known> {
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
  const fact = await vi.waitFor(async () => {
    const { items } = await api<{ items: { id: string }[] }>('GET', `/api/v1/audit/events?run=${run.id}`)
    if (!items[0]) throw new Error('the fact of the run is not listed yet')
    return items[0].id
  })
  return { agent: agent.id, fn: fn.id, run: run.id, fact }
}
