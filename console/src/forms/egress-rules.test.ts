import { expect, test } from 'vitest'
import { draftsOf, ruleOf, rulesOf, shownRule } from './egress-rules'

const typed = (address: string, methods = '') => ruleOf({ key: 0, methods, address })

test('an address becomes a rule, and a rule an address', () => {
  const rule = typed('https://*.example.com:8443/v1', 'get, post')
  expect(rule).toEqual({
    methods: ['GET', 'POST'],
    host: '*.example.com',
    path: '/v1',
    scheme: 'https',
    port: 8443,
  })
  expect(rule && shownRule(rule)).toBe('GET,POST https://*.example.com:8443/v1')
  expect(rule && rulesOf(draftsOf([rule]))).toEqual([rule])
  expect(typed('http://[::1]')).toEqual({
    methods: ['GET', 'HEAD'],
    host: '[::1]',
    path: '/',
    scheme: 'http',
  })
})

test('what is no address is no rule', () => {
  for (const wrong of [
    '',
    'a.example',
    'ftp://a.example',
    'https://',
    'https://a b/',
    'https://a/?q=1',
    'https://u@a/',
  ]) {
    expect(typed(wrong), wrong).toBeUndefined()
  }
  expect(rulesOf([{ key: 0, methods: '', address: '' }])).toBeUndefined()
})
