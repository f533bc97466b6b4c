/**
 * How soon a page is there, and how soon the next one: printed, not asserted, as a figure depends on who else uses the
 * machine. The processor is throttled as the browser does it; the network is the loopback.
 */

import { cpus } from 'node:os'
import { basename, dirname } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { signIn, startBrowser, visit } from '../browser'
import { furnish } from '../furnish'
import { binary, startServer } from '../server'

/** Odd, so that the median is one of them; fewer for a quick look. */
const TIMES = Number(process.env.TIMES ?? 7)
const LCP_BUDGET = 1_200
const ROUTE_BUDGET = 100

const places: [string, string][] = [
  ['Home', '/console/'],
  ['Agents', '/console/agents'],
  ['Functions', '/console/functions'],
  ['Runs', '/console/runs'],
  ['Audit', '/console/audit'],
]

test('figures', async () => {
  const server = await startServer()
  const browser = await startBrowser()
  try {
    const known = await furnish(server)
    const mine = await visit(browser, server)
    await signIn(server, mine)
    const details: [string, string][] = [
      ['Agent', `/console/agents/${known.agent}`],
      ['Run', `/console/runs/${known.run}`],
      ['Fact', `/console/audit/${known.fact}`],
    ]
    const about = [
      `Chromium ${browser.version()}`,
      `${cpus().length} × ${cpus()[0]?.model.trim()}`,
      `server of profile ${basename(dirname(binary))}`,
      `${TIMES} times each`,
    ]
    print(`${about.join(', ')}`)
    print('')
    print('| figure | throttle | median | slowest | budget |')
    print('|---|---|---|---|---|')
    for (const throttle of [1, 4]) {
      // Without a throttle there is little to see; one page shows how little.
      for (const [name, path] of throttle === 1 ? places.slice(0, 1) : [...places, ...details]) {
        const found = await largestPaints(browser, mine.context, server.url + path, throttle)
        row(`LCP of ${name}, nothing in the cache`, throttle, found, LCP_BUDGET)
      }
    }
    for (const throttle of [1, 4]) {
      const first = await routeChanges(browser, mine.context, server.url, throttle, 'first')
      row('to a page never visited, its heading painted', throttle, first.headings, ROUTE_BUDGET)
      row('to a page never visited, its rows painted', throttle, first.rows)
      const again = await routeChanges(browser, mine.context, server.url, throttle, 'again')
      row('to a page visited before, its heading painted', throttle, again.headings, ROUTE_BUDGET)
      row('to a page visited before, its rows painted', throttle, again.rows)
    }
  } finally {
    await browser.close()
    await server.stop()
  }
})

/** A browser that knows nothing but who is signed in. */
async function fresh(browser: Browser, of: BrowserContext, throttle: number): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    storageState: await of.storageState(),
  })
  const page = await context.newPage()
  const session = await context.newCDPSession(page)
  await session.send('Emulation.setCPUThrottlingRate', { rate: throttle })
  return page
}

async function largestPaints(browser: Browser, of: BrowserContext, url: string, throttle: number) {
  const found: number[] = []
  for (let time = 0; time < TIMES; time++) {
    const page = await fresh(browser, of, throttle)
    await page.addInitScript(() => {
      const paints = { last: 0 }
      Object.assign(globalThis, { paints })
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) paints.last = entry.startTime
      }).observe({ type: 'largest-contentful-paint', buffered: true })
    })
    await page.goto(url)
    await page.locator('main h1').waitFor()
    await page.waitForLoadState('networkidle')
    await page.evaluate(
      () => new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted))),
    )
    const last = await page.evaluate(
      () => (globalThis as unknown as { paints: { last: number } }).paints.last,
    )
    expect(last).toBeGreaterThan(0)
    found.push(last)
    await page.context().close()
  }
  return found
}

/** From place to place by the links at the left; each change from the click until what it leads to was painted. */
async function routeChanges(
  browser: Browser,
  of: BrowserContext,
  url: string,
  throttle: number,
  when: 'first' | 'again',
) {
  const headings: number[] = []
  const rows: number[] = []
  while (headings.length < TIMES) {
    const page = await fresh(browser, of, throttle)
    await page.goto(`${url}/console/`)
    await page.locator('main tbody tr:not(.waiting)').first().waitFor()
    await page.waitForLoadState('networkidle')
    const round = [...places.slice(1), places[0] as [string, string]]
    if (when === 'again') for (const [name] of round) await change(page, name)
    for (const [name] of when === 'first' ? round.slice(0, -1) : round) {
      const took = await change(page, name)
      headings.push(took.heading)
      rows.push(took.rows)
    }
    await page.context().close()
  }
  return { headings, rows }
}

function change(page: Page, name: string): Promise<{ heading: number; rows: number }> {
  return page.evaluate(
    (name) =>
      new Promise<{ heading: number; rows: number }>((done) => {
        const link = [...document.querySelectorAll<HTMLElement>('.places a')].find(
          (link) => link.textContent === name,
        )
        const start = performance.now()
        let heading = 0
        // A frame that has been handed over is on the screen when the next task runs.
        const painted = (then: (at: number) => void) =>
          requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel()
            port1.onmessage = () => then(performance.now() - start)
            port2.postMessage(undefined)
          })
        const look = () => {
          const there = document.querySelector('main h1')?.textContent === name
          const whole = there && document.querySelector('main tbody tr:not(.waiting)') !== null
          if (there && heading === 0) {
            heading = -1
            painted((at) => {
              heading = at
            })
          }
          if (whole && heading > 0) painted((at) => done({ heading, rows: at }))
          else requestAnimationFrame(look)
        }
        link?.click()
        requestAnimationFrame(look)
      }),
    name,
  )
}

function row(figure: string, throttle: number, found: number[], budget?: number) {
  const sorted = [...found].sort((one, other) => one - other)
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const slowest = sorted.at(-1) ?? Number.NaN
  const held = budget === undefined ? '' : `≤ ${budget} ms: ${median <= budget ? 'held' : 'MISSED'}`
  print(`| ${figure} | ${throttle}× | ${median.toFixed(0)} ms | ${slowest.toFixed(0)} ms | ${held} |`)
}

function print(line: string) {
  process.stdout.write(`${line}\n`)
}
