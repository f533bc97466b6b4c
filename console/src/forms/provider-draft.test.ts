import { expect, test } from 'vitest'
import type { AuthProvider } from '../api/types'
import { changed, draftOf, followed, groupRolesOf, groupRoleWords } from './provider-draft'
import type { Schema } from './settings'

const schema: Schema = {
  properties: {
    issuer: { type: 'string' },
    client_secret: { type: 'string', writeOnly: true },
    scopes: { type: 'array', items: { type: 'string' } },
    claims: { type: 'object' },
  },
  required: ['issuer', 'client_secret'],
}

const provider = {
  display_name: 'Corp',
  settings: { issuer: 'https://idp.example', scopes: ['openid', 'email'], claims: { name: 'n', mail: 'm' } },
  create_users: true,
  default_roles: ['member', 'auditor'],
  allowed_domains: ['example.com'],
  trust_email: false,
  group_roles: { 'cn=ops,ou=teams': ['viewer', 'admin'], all: ['member'] },
} as unknown as AuthProvider

const base = draftOf(provider, schema)
const patch = (changes: Partial<typeof base>) => changed({ ...base, ...changes }, base, schema)
const settings = (typed: Record<string, string>) => patch({ settings: { ...base.settings, ...typed } })

test('what was not touched is not sent; a secret left empty least of all', () => {
  expect(patch({})).toEqual({})
  expect(settings({ client_secret: '' })).toEqual({})
  expect(patch({ given: ['auditor', 'member'], domains: ' example.com ' })).toEqual({})
})

test('what differs is sent, and what was emptied is taken out', () => {
  expect(patch({ shown: 'Corporation', creates: false })).toEqual({
    display_name: 'Corporation',
    create_users: false,
  })
  expect(patch({ given: ['member'], domains: '' })).toEqual({
    default_roles: ['member'],
    allowed_domains: [],
  })
  expect(settings({ client_secret: 'new', scopes: '' })).toEqual({
    settings: { client_secret: 'new', scopes: null },
  })
  expect(settings({ claims: '{"name": "other", "mail": "m"}' })).toEqual({
    settings: { claims: { name: 'other' } },
  })
})

test('roles of groups are sent as the whole map, whatever the order of their rows', () => {
  expect(patch({ groups: [...base.groups].reverse() })).toEqual({})
  expect(patch({ groups: [...base.groups, { group: ' ', role: 'admin' }] })).toEqual({})
  const more = [...base.groups, { group: ' all ', role: 'auditor' }, { group: 'all', role: 'auditor' }]
  expect(patch({ groups: more })).toEqual({
    group_roles: { 'cn=ops,ou=teams': ['admin', 'viewer'], all: ['auditor', 'member'] },
  })
  expect(patch({ groups: base.groups.slice(0, 1) })).toEqual({
    group_roles: { 'cn=ops,ou=teams': ['viewer'] },
  })
  expect(patch({ groups: [] })).toEqual({ group_roles: {} })
})

test('groups are told to the command line one by one; their names may be those of anything', () => {
  expect(groupRoleWords(groupRolesOf(base.groups))).toEqual([
    'cn=ops,ou=teams=admin',
    'cn=ops,ou=teams=viewer',
    'all=member',
  ])
  expect(groupRolesOf([{ group: '__proto__', role: 'viewer' }])).toEqual(
    Object.fromEntries([['__proto__', ['viewer']]]),
  )
})

test('nothing can be sent while a setting is not JSON', () => {
  expect(settings({ claims: '{' })).toBeUndefined()
})

test('a setting that the schema does not know stays', () => {
  const more = {
    ...provider,
    settings: { ...(provider.settings as object), later: 1 },
  } as unknown as AuthProvider
  const draft = draftOf(more, schema)
  expect(changed({ ...draft, shown: 'C' }, draft, schema)).toEqual({ display_name: 'C' })
})

test('without a schema the whole is one object', () => {
  const open = draftOf(provider, {})
  expect(changed({ ...open, settings: { '': '{"issuer": "https://other.example"}' } }, open, {})).toEqual({
    settings: { issuer: 'https://other.example', scopes: null, claims: null },
  })
})

test('somebody else’s change is followed where nothing was typed', () => {
  const newer = {
    ...provider,
    display_name: 'Theirs',
    settings: { issuer: 'https://new.example', scopes: ['openid'] },
    group_roles: { theirs: ['viewer'] },
  } as unknown as AuthProvider
  const theirs = draftOf(newer, schema)
  const mine = { ...base, domains: 'mine.example', settings: { ...base.settings, scopes: 'openid groups' } }
  // As the form does: the draft of before is made anew.
  expect(followed(mine, draftOf(provider, schema), theirs)).toMatchObject({
    shown: 'Theirs',
    domains: 'mine.example',
    settings: { issuer: 'https://new.example', scopes: 'openid groups' },
    groups: [{ group: 'theirs', role: 'viewer' }],
  })
})
