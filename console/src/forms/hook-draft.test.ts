import { expect, test } from 'vitest'
import type { Hook } from '../api/types'
import { blank, changed, draftOf, made, takesOver, unfit } from './hook-draft'

const hook = {
  id: 'hok_1',
  path: 'github',
  methods: ['POST'],
  url: '',
  description: 'Mine',
  active: true,
  target: { function: 'fn_1', name: 'ops/seen' },
  owner: 'usr_1',
  permissions: [],
  authentication: { kind: 'hmac', preset: 'github' },
  previous_secret_until: null,
  allowed_ips: ['192.0.2.0/24'],
  input: { mode: 'body', defaults: { a: 1 } },
  routes: [{ when: [{ at: '/body/action', is: 'equal_to', value: 'opened' }] }],
  response: 'sync',
  deduplication: { header: 'X-GitHub-Delivery', ttl_seconds: 3600 },
  rate_per_minute: 600,
  concurrency: 20,
  max_body_bytes: 1048576,
  created_at: '',
  updated_at: '',
  revision: 1,
} as unknown as Hook

test('what was not touched is not sent', () => {
  const base = draftOf(hook)
  expect(changed(base, base)).toEqual({})
})

test('each member that differs is sent as a whole', () => {
  const base = draftOf(hook)
  expect(changed({ ...base, defaults: '{"b": 2}', description: ' Mended ' }, base)).toEqual({
    description: 'Mended',
    input: { mode: 'body', defaults: { b: 2 } },
  })
  expect(changed({ ...base, routes: '', addresses: '', repeat: '', rate: '' }, base)).toEqual({
    routes: [],
    allowed_ips: [],
    deduplication: null,
    rate_per_minute: null,
  })
  expect(changed({ ...base, repeat: '/id' }, base)).toEqual({
    deduplication: { pointer: '/id', ttl_seconds: 3600 },
  })
  expect(changed({ ...base, methods: ['PUT', 'POST'] }, base)).toEqual({ methods: ['POST', 'PUT'] })
})

test('a secret comes with its authentication', () => {
  const base = draftOf(hook)
  expect(changed({ ...base, secret: 'sixteen letters.' }, base)).toEqual({
    authentication: { kind: 'hmac', preset: 'github' },
    secret: 'sixteen letters.',
  })
  expect(changed({ ...base, way: 'token', secret: 'left over' }, base)).toEqual({
    authentication: { kind: 'token' },
  })
})

test('what is not JSON of its kind is not sent', () => {
  const base = draftOf(hook)
  expect(unfit({ ...base, routes: '{}' })).toBe('routes')
  expect(unfit({ ...base, defaults: '[]' })).toBe('defaults')
  expect(unfit({ ...base, methods: [] })).toBe('methods')
  expect(changed({ ...base, defaults: '{' }, base)).toBeUndefined()
})

test('a new hook says only what is not the default', () => {
  expect(made({ ...blank, path: 'in', target: 'ops:seen' })).toEqual({
    path: 'in',
    target: { function: 'ops:seen' },
    methods: ['POST'],
    authentication: { kind: 'hmac', preset: 'github' },
    deduplication: { header: 'X-GitHub-Delivery', ttl_seconds: 86400 },
    input: { mode: 'body' },
    response: 'sync',
  })
})

test('what a hook does takes it over', () => {
  expect(takesOver({ description: 'x', concurrency: 3 })).toBe(false)
  expect(takesOver({ response: 'async' })).toBe(true)
})
