import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, test } from 'vitest'
import { legible, Name, shown } from './name'

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at)

const invisible = [
  ...range(0x00, 0x1f),
  ...range(0x7f, 0x9f),
  0x61c,
  0x200b,
  0x200e,
  0x200f,
  ...range(0x2028, 0x202e),
  ...range(0x2060, 0x206f),
  0xfeff,
]

const markup = (of: string, as: 'name' | 'lines' = 'name') =>
  renderToStaticMarkup(createElement(Name, { of, as }))

describe('a name', () => {
  test('stands apart from the direction of what is beside it', () => {
    expect(markup('ops:triage')).toBe('<bdi>ops:triage</bdi>')
    expect(markup('שלום')).toBe('<bdi>שלום</bdi>')
  })

  test.each(invisible)('shows the character %i by its number', (point) => {
    const name = `pay${String.fromCodePoint(point)}roll`
    const number = `\\u{${point.toString(16).toUpperCase()}}`
    expect(markup(name)).toBe(`<bdi>pay<span class="hidden-character">${number}</span>roll</bdi>`)
    expect(legible(name)).toBe(`pay${number}roll`)
  })

  test('keeps what can be seen, in any script', () => {
    for (const name of ['Zoë Müller', '日本語', 'محمد', '👩\u{200D}🔬 lab', 'a b', 'نمی\u{200C}خواهم'])
      expect(legible(name)).toBe(name)
  })

  test('is text, never markup', () => {
    expect(markup('<img src=x>')).toBe('<bdi>&lt;img src=x&gt;</bdi>')
  })
})

test('lines keep their ends and tabs and nothing else that is hidden', () => {
  expect(markup('a\n\tb\u{202E}\r', 'lines')).toBe(
    '<bdi>a\n\tb<span class="hidden-character">\\u{202E}</span><span class="hidden-character">\\u{D}</span></bdi>',
  )
})

test('texts are shown as names, elements as they are', () => {
  expect(renderToStaticMarkup(createElement('p', {}, shown('a\u{202E}b')))).toContain('\\u{202E}')
  expect(shown('')).toBe('')
  expect(shown(7)).toBe(7)
})

/** Free texts of others that stand in an element as they are. */
const bare =
  />\s*\{\w+(?:\??\.\w+)*\.(?:display_name|display|description|email|username)(?: (?:\?\?|\|\|) [^{}]*)?\}/g

test('no page shows a free text past it', () => {
  expect('<span>{member.display_name}</span>').toMatch(bare)
  expect('<span>\n  {agent.display_name || agent.name}\n</span>').toMatch(bare)
  const source = join(import.meta.dirname, '..')
  const found = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.tsx'))
    .flatMap(
      (name) =>
        readFileSync(join(source, name), 'utf8')
          .match(bare)
          ?.map((at) => `${name}: ${at}`) ?? [],
    )
  expect(found).toEqual([])
})
