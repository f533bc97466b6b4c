import { describe, expect, test } from 'vitest'
import { mergePatch, same } from './merge-patch'

/** RFC 7396 §2, to apply what was made. */
function apply(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const merged: Record<string, unknown> =
    typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name]
    else merged[name] = apply(merged[name], value)
  }
  return merged
}

describe('a merge patch', () => {
  test.each([
    [{ a: 1 }, { a: 1 }, undefined],
    [{ a: { b: 1, c: [1] } }, { a: { c: [1], b: 1 } }, undefined],
    [{ a: 1 }, { a: 2 }, { a: 2 }],
    [{ a: 1 }, { b: 2 }, { a: null, b: 2 }],
    [{ a: [1, 2] }, { a: [1] }, { a: [1] }],
    [{ a: { b: 1, c: 2 } }, { a: { b: 1, d: 3 } }, { a: { c: null, d: 3 } }],
    [{ a: { b: 1 } }, { a: 'text' }, { a: 'text' }],
    [{ a: 'text' }, { a: { b: 1 } }, { a: { b: 1 } }],
    [{ a: 1 }, {}, { a: null }],
  ])('from %j to %j', (from, to, patch) => {
    expect(mergePatch(from, to)).toEqual(patch)
    if (patch) expect(apply(from, patch)).toEqual(to)
  })
})

test('the order of members tells nothing apart, the order of lists does', () => {
  expect(same({ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 })).toBe(true)
  expect(same([1, 2], [2, 1])).toBe(false)
  expect(same({ a: undefined }, { b: undefined })).toBe(false)
})
