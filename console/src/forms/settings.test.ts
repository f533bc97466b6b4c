import { expect, test } from 'vitest'
import { placed, placeOf, type Schema, settingsOf, typedOf, withoutSecrets } from './settings'

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

test('a secret that lies in a Vault is its place, and what is written there is in no file', () => {
  const schema: Schema = { properties: { id: {}, secret: { writeOnly: true } } }
  const place = { mount: 'secret', path: 'apps/corp', key: 'secret' }
  const typed = typedOf(schema, { id: 'app', secret: place })
  expect(placeOf(typed, 'secret')).toEqual(place)
  expect(settingsOf(schema, typed)).toEqual({ id: 'app', secret: place })
  const written = placed(typed, 'secret', { ...place, value: 'hush' })
  const settings = settingsOf(schema, written) ?? {}
  expect(settings.secret).toEqual({ ...place, value: 'hush' })
  expect(withoutSecrets(schema, settings).secret).toEqual({ ...place, value: '…' })
  const kept = { ...placed(written, 'secret', undefined), secret: 'hush' }
  expect(settingsOf(schema, kept)).toEqual({ id: 'app', secret: 'hush' })
})
