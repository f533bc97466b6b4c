import { expect, test } from 'vitest'
import { type Schema, settingsOf } from './settings'

const named: Schema = {
  properties: {
    issuer: { type: 'string' },
    scopes: { type: 'array', items: { type: 'string' } },
    timeout_seconds: { type: 'integer' },
    start_tls: { type: 'boolean' },
    claims: { type: 'object' },
  },
  required: ['issuer'],
}

test('each setting has its type, and what was left empty is not sent', () => {
  const typed = {
    issuer: 'https://idp.example',
    scopes: 'openid email\nprofile',
    timeout_seconds: '5',
    start_tls: 'true',
    claims: ' ',
  }
  expect(settingsOf(named, typed)).toEqual({
    issuer: 'https://idp.example',
    scopes: ['openid', 'email', 'profile'],
    timeout_seconds: 5,
    start_tls: true,
  })
  expect(settingsOf(named, { claims: '{' })).toBeUndefined()
})

test('without names the whole is one object', () => {
  expect(settingsOf({}, { '': '{"issuer": "x"}' })).toEqual({ issuer: 'x' })
  expect(settingsOf({}, {})).toEqual({})
  expect(settingsOf({}, { '': '[]' })).toBeUndefined()
  expect(settingsOf({ properties: {}, additionalProperties: false }, { '': '{"issuer": "x"}' })).toEqual({})
})
