import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ownPage } from './own-page'

const origin = 'https://papers.example'
const payloads = join(import.meta.dirname, '../../../../crates/domains/sign_in/src/redirects/payloads.txt')

test('pages of the console are kept, whole', () => {
  for (const page of ['/console/', '/console/runs?status=failed', '/console/device#BCDF-GHJK'])
    expect(ownPage(page, origin)).toBe(page)
  expect(ownPage(`${origin}/console/audit`, origin)).toBe('/console/audit')
})

test('everything else leads to the first page', () => {
  const listed = readFileSync(payloads, 'utf8').split('\n').filter(Boolean)
  expect(listed.length).toBeGreaterThan(20)
  const others = ['', undefined, null, '/api/v1/auth/me', '/console/../api/v1/auth/me', '/consoles']
  for (const wanted of [...listed, ...others]) {
    const raw = wanted?.replaceAll('\\t', '\t').replaceAll('\\n', '\n').replaceAll('\\r', '\r')
    const found = ownPage(raw, origin)
    expect(new URL(found, origin).origin, raw ?? '').toBe(origin)
    expect(found, raw ?? '').toMatch(/^\/console\//)
  }
})
