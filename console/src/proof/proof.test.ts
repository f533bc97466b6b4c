import { describe, expect, test } from 'vitest'
import { type Bytes, equal, fromBase64, fromHex, sha256, toHex, utf8 } from './bytes'
import { canonical, type Json, NotCanonical, parseCanonical } from './jcs'
import { leafHash, rootFromProof } from './merkle'
import { NoteProblem, openCheckpoint, parseKey } from './note'
import vectors from './vectors/vectors.json'

const hex = (text: string): Bytes => {
  const bytes = fromHex(text)
  if (!bytes) throw new Error(`not hexadecimal: ${text}`)
  return bytes
}

describe('canonical JSON agrees with Python rfc8785', () => {
  for (const { value, text, sha256: digest } of vectors.canonical) {
    test(text.slice(0, 40), async () => {
      expect(canonical(value as Json)).toBe(text)
      expect(toHex(await sha256(utf8(text)))).toBe(digest)
      expect(parseCanonical(text)).toEqual(value)
    })
  }

  test.each(['{"b":1,"a":2}', '{"a":1,"a":1}', '{"a": 1}', '[1.0]', '[-0]', '"\\u0041"'])(
    '%s is refused',
    (text) => {
      expect(() => parseCanonical(text)).toThrow(NotCanonical)
    },
  )

  test('what has no canonical form is refused', () => {
    expect(() => canonical(Number.NaN)).toThrow(NotCanonical)
    expect(() => canonical(['\ud800'])).toThrow(NotCanonical)
  })
})

describe('inclusion proofs made in Python', () => {
  const proven = (at: (typeof vectors.inclusion)[number], path = at.path, index = at.index, size = at.size) =>
    leafHash(hex(at.entry)).then((leaf) => rootFromProof(leaf, index, size, path.map(hex)))

  test('lead to the root', async () => {
    for (const at of vectors.inclusion) {
      const root = await proven(at)
      expect(root && toHex(root), `${at.index} of ${at.size}`).toBe(at.root)
    }
  })

  test('do not lead there when a bit, the place or the length is another', async () => {
    for (const at of vectors.inclusion) {
      const holds = async (...change: [string[]?, number?, number?]) => {
        const root = await proven(at, ...change)
        return root !== undefined && equal(root, hex(at.root))
      }
      for (let step = 0; step < at.path.length; step++) {
        const flipped = at.path.map((node, place) => (place === step ? flip(node) : node))
        expect(await holds(flipped)).toBe(false)
      }
      expect(await holds([...at.path, '0'.repeat(64)])).toBe(false)
      if (at.path.length > 0) expect(await holds(at.path.slice(1))).toBe(false)
      if (at.size > 1) expect(await holds(at.path, at.index === 0 ? 1 : at.index - 1)).toBe(false)
      expect(await holds(at.path, at.size)).toBe(false)
    }
  })
})

describe('checkpoints signed in Python', () => {
  test('open under the key and say size and root', async () => {
    const opened = await openCheckpoint(vectors.note.note, await parseKey(vectors.note.key))
    expect(opened.size).toBe(vectors.note.size)
    expect(toHex(opened.root)).toBe(vectors.note.root)
  })

  test('no single altered byte of text or signature passes', async () => {
    const key = await parseKey(vectors.note.key)
    const signed = vectors.note.note.split('\n').slice(0, -2).join('\n')
    const rest = vectors.note.note.slice(signed.length)
    for (let at = 0; at < signed.length; at++) {
      const other = signed[at] === 'A' ? 'B' : 'A'
      const altered = signed.slice(0, at) + other + signed.slice(at + 1) + rest
      await expect(openCheckpoint(altered, key), `byte ${at}`).rejects.toThrow()
    }
  })

  test('a key whose id is another one is refused', async () => {
    const [name, id, key] = vectors.note.key.split('+') as [string, string, string]
    await expect(parseKey(`${name}+${flip(id)}+${key}`)).rejects.toThrow(NoteProblem)
    await expect(parseKey(`other+${id}+${key}`)).rejects.toThrow(NoteProblem)
    await expect(parseKey(`${name}+${id}`)).rejects.toThrow(NoteProblem)
  })
})

test('base64 has one form', () => {
  expect(fromBase64('AA==')).toEqual(Uint8Array.of(0))
  for (const other of ['AB==', 'AA', 'AA=', 'A', '!']) expect(fromBase64(other)).toBeUndefined()
})

function flip(text: string): string {
  return (text.startsWith('0') ? '1' : '0') + text.slice(1)
}
