import { expect, test } from 'vitest'
import type { Actor } from '../api/types'
import { chainOf } from './chain'

const who = (kind: string, display: string) => ({ kind, display }) as Actor
const ada = who('user', 'Ada')
const triage = who('agent', 'ops:triage')
const report = who('function', 'report')
const platform = who('system', 'runs')

test('who acted stands before those on whose behalf', () => {
  expect(chainOf({ act: [], actor: ada })).toEqual([ada])
  expect(chainOf({ actor: ada, act: [report, triage] })).toEqual([report, triage, ada])
  expect(chainOf({ act: [], actor: platform, on_behalf_of: ada })).toEqual([platform, ada])
  expect(chainOf({ act: [triage], actor: platform, on_behalf_of: ada })).toEqual([platform, triage, ada])
})
