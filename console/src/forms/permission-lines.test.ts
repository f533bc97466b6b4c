import { expect, test } from 'vitest'
import { linesOf, permissionsOf } from './permission-lines'

test('permissions are read and written without loss', () => {
  const permissions = [
    'agents:read:all',
    'agents:update:all',
    'agents/ops/*:update:own',
    'functions/release/**:execute',
    'titan.courses:enrol:own',
    '*:*:all',
  ]
  expect(permissionsOf(linesOf(permissions))).toEqual(permissions)
})

test('one line holds the actions of one object and reach', () => {
  expect(
    linesOf(['agents:read:all', 'agents:read:own', 'agents:update:all', 'agents/ops/a:read:all']),
  ).toEqual([
    { resource: 'agents', selector: '', reach: 'all', actions: ['read', 'update'] },
    { resource: 'agents', selector: '', reach: 'own', actions: ['read'] },
    { resource: 'agents', selector: 'ops/a', reach: 'all', actions: ['read'] },
  ])
})

test('lines that say the same are said once', () => {
  const line = { resource: 'runs', selector: '', reach: 'own', actions: ['read'] }
  expect(permissionsOf([line, { ...line, selector: ' ' }, { ...line, actions: [] }])).toEqual([
    'runs:read:own',
  ])
})
