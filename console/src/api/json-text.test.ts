import { expect, test } from 'vitest'
import { compact, indented, isJson, members } from './json-text'

const values = [
  {},
  [],
  [[], {}, [{}]],
  { a: [1, 2.5, -3e-7], 'b "c": {,}': { d: null, e: [true, false] }, '': '\\"}' },
  'text',
  7,
  null,
]

test('it is laid out as JSON.stringify does', () => {
  for (const value of values) {
    expect(indented(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2))
    expect(compact(JSON.stringify(value, null, 2))).toBe(JSON.stringify(value))
  }
})

test('numbers keep their digits, characters are shown as themselves', () => {
  const text = '{"n":12345678901234567890,"f":1.0,"s":"\\u00fc"}'
  expect(indented(text)).toBe('{\n  "n": 12345678901234567890,\n  "f": 1.0,\n  "s": "ü"\n}')
  expect(compact(' { "n" : 12345678901234567890 } ')).toBe('{"n":12345678901234567890}')
})

test('members are given by their names, each as its text', () => {
  const text =
    '{"id": "run_1", "input": {"n": [9007199254740993, {"x": "}"}]}, "output": null, "n\\u0061me": ":,"}'
  expect([...members(text)]).toEqual([
    ['id', '"run_1"'],
    ['input', '{"n":[9007199254740993,{"x":"}"}]}'],
    ['output', 'null'],
    ['name', '":,"'],
  ])
  expect(members('{}').size).toBe(0)
})

test('what is no JSON is said to be none', () => {
  expect(['{}', ' 1 ', '"a"'].map(isJson)).toEqual([true, true, true])
  expect(['', '{"n": ', '1}, "x": {', 'NaN'].map(isJson)).toEqual([false, false, false, false])
})
