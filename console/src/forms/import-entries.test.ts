import { expect, test } from 'vitest'
import { entriesOf } from './import-entries'

test('JSON is taken as the API takes it', () => {
  const entries = [{ external_id: '7', display_name: 'Ada', roles: ['member'] }]
  expect(entriesOf(JSON.stringify(entries))).toEqual(entries)
  expect(entriesOf(JSON.stringify({ provider: 'ldap', entries }))).toEqual(entries)
  expect(entriesOf('[{"external_id": ')).toBeUndefined()
  expect(entriesOf('{"people": []}')).toBeUndefined()
})

test('lines are read by their head, whatever divides them', () => {
  const ada = {
    external_id: '7',
    email: 'ada@example.com',
    display_name: 'Lovelace, Ada',
    roles: ['member', 'auditor'],
  }
  expect(
    entriesOf('external_id,email,display_name,roles\r\n7,ada@example.com,"Lovelace, Ada",member auditor\r\n'),
  ).toEqual([ada])
  expect(
    entriesOf('email;external_id;display_name;roles\nada@example.com;7;Lovelace, Ada;member|auditor'),
  ).toEqual([ada])
  expect(entriesOf('external_id\tdisplay_name\n8\t"Grace ""Amazing"" Hopper"\n\n')).toEqual([
    { external_id: '8', display_name: 'Grace "Amazing" Hopper' },
  ])
})

test('what has no head that is known is nothing yet', () => {
  expect(entriesOf('')).toEqual([])
  expect(entriesOf('7,ada@example.com,Ada')).toBeUndefined()
  expect(entriesOf('external_id,surname\n7,Lovelace')).toBeUndefined()
})
