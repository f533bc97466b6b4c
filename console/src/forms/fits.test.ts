import { expect, test } from 'vitest'
import { misfits } from './fits'

const schema = {
  type: 'object',
  required: ['day', 'n'],
  additionalProperties: false,
  properties: {
    day: { type: 'string', minLength: 2 },
    n: { type: 'integer', minimum: 1, maximum: 9 },
    tags: { type: 'array', maxItems: 2, items: { enum: ['a', 'b'] } },
    'a/b': { type: ['null', 'boolean'] },
  },
}

test('what fits is not complained of', () => {
  expect(misfits(schema, { day: 'mo', n: 3, tags: ['a', 'b'], 'a/b': null })).toEqual([])
  expect(misfits(undefined, 7)).toEqual([])
  expect(misfits(true, 7)).toEqual([])
  expect(misfits({ $ref: '#/$defs/x', type: 'string' }, 7)).toEqual([])
})

test.each([
  [[], '', 'type', 'object'],
  [{ n: 3 }, '', 'required', 'day'],
  [{ day: 'm', n: 3 }, '/day', 'bounds', '≥ 2'],
  [{ day: 'mo', n: 3.5 }, '/n', 'type', 'integer'],
  [{ day: 'mo', n: 10 }, '/n', 'bounds', '≤ 9'],
  [{ day: 'mo', n: 3, tags: ['a', 'c'] }, '/tags/1', 'choice', '"a", "b"'],
  [{ day: 'mo', n: 3, tags: ['a', 'a', 'a'] }, '/tags', 'bounds', '≤ 2'],
  [{ day: 'mo', n: 3, 'a/b': 1 }, '/a~1b', 'type', 'null, boolean'],
  [{ day: 'mo', n: 3, more: 1 }, '/more', 'unknown', 'more'],
])('%j', (value, at, kind, of) => {
  expect(misfits(schema, value)).toEqual([{ at, kind, of }])
})
