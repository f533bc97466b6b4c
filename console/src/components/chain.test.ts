import { expect, test } from 'vitest'
import type { Actor } from '../api/types'
import { chainOf, chainOfEnd } from './chain'

const who = (kind: string, display: string) => ({ kind, display }) as Actor
const ada = who('user', 'Ada')
const triage = who('agent', 'ops:triage')
const report = who('function', 'report')
const platform = who('system', 'runs')

test('who acted stands before those on whose behalf', () => {
  expect(chainOf({ act: [], actor: ada })).toEqual([ada])
  expect(chainOf({ actor: ada, act: [report, triage] })).toEqual([report, triage, ada])
  expect(chainOf({ act: [], actor: platform, on_behalf_of: ada })).toEqual([platform, ada])
})

test('a run was ended by its function or by the platform', () => {
  const run = { function: 'fn_1' }
  expect(chainOfEnd({ act: [], actor: triage }, run)).toEqual([{ kind: 'function', id: 'fn_1' }, triage])
  expect(chainOfEnd({ act: [], actor: platform, on_behalf_of: ada }, run)).toEqual([platform, ada])
})
