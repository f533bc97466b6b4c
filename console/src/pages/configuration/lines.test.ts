import { expect, test } from 'vitest'
import { linesOf } from './lines'

const told = (before: string, after: string) =>
  linesOf(before, after).map(({ text, in: where }) => ({ both: ' ', before: '-', after: '+' })[where] + text)

test('what stays is told once, what changes on both sides', () => {
  expect(told('a\nb\nc\nd', 'a\nx\nc\nd\ne')).toEqual([' a', '-b', '+x', ' c', ' d', '+e'])
  expect(told('a\nb', 'a\nb')).toEqual([' a', ' b'])
  expect(told('one\ntwo\none', 'one')).toEqual([' one', '-two', '-one'])
})

test('each side can be read again from the lines', () => {
  let seed = 7
  const next = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % below
  }
  const text = () => Array.from({ length: next(12) + 1 }, () => 'abc'[next(3)]).join('\n')
  for (let round = 0; round < 200; round += 1) {
    const [before, after] = [text(), text()]
    const side = (out: 'before' | 'after') =>
      linesOf(before, after)
        .filter((line) => line.in !== out)
        .map((line) => line.text)
        .join('\n')
    expect([side('after'), side('before')]).toEqual([before, after])
  }
})

test('texts too long to compare are shown one after the other', () => {
  const many = (word: string) => Array.from({ length: 1_100 }, (_, at) => `${word} ${at}`).join('\n')
  const lines = linesOf(many('a'), many('b'))
  expect(lines.slice(0, 1_100).every((line) => line.in === 'before')).toBe(true)
  expect(lines.slice(1_100).every((line) => line.in === 'after')).toBe(true)
})
