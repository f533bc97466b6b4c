import { expect, test } from 'vitest'
import { asked, bundleOf, filesOf, named, placeIn } from './draft'

const files = [
  { path: 'agents.rego', text: 'package safeconduct.agents\n' },
  { path: 'data.json', text: '{"on_call": ["ada"]}' },
]

test('files become a bundle and come back', () => {
  const bundle = bundleOf(files)
  expect(bundle).toEqual({ modules: [files[0]], data: { on_call: ['ada'] } })
  expect(bundle && filesOf(bundle).map(({ path }) => path)).toEqual(['agents.rego', 'data.json'])
  expect(bundleOf([{ path: 'data.json', text: '{' }])).toBeUndefined()
  expect(bundleOf([{ path: 'data.json', text: ' ' }])).toEqual({ modules: [] })
})

test('a command names the rules and the data', () => {
  expect(named(files)).toBe('agents.rego --data data.json')
  expect(asked(files)).toEqual(['.'])
  expect(asked(files.slice(0, 1))).toEqual(['agents.rego'])
  expect(placeIn('agents.rego:3:5')).toEqual({ path: 'agents.rego', line: 3 })
  expect(placeIn('/modules')).toBeUndefined()
})
