import { expect, test } from 'vitest'
import { named, namesIn } from './names'

test('names are found where they are meant, each once', () => {
  const text = [
    'a: $',
    '{TOKEN} $$',
    '{NOT} $',
    '{file:code/a.py} $',
    '{lower} $',
    '{TOKEN} $',
    '{OPEN',
  ].join('')
  expect(namesIn(text)).toEqual({ variables: ['TOKEN'], files: ['code/a.py'] })
  expect(namesIn('spec: {}')).toEqual({ variables: [], files: [] })
})

test('only what the document names is sent along', () => {
  expect(named({ A: '1', B: '2' }, ['A', 'C'])).toEqual({ A: '1' })
})
