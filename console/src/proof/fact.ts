/**
 * Checks, in this browser, that a fact as shown stands in the log: every value shown is one of the bytes that were hashed,
 * the hash is a leaf of the tree, and the tree's root is the one that the log's key signed. Nothing here trusts what the
 * server says of itself.
 */

import { type Bytes, equal, fromHex, sha256, toHex, utf8 } from './bytes'
import { type Json, parseCanonical } from './jcs'
import { leafHash, rootFromProof } from './merkle'
import { openCheckpoint, parseKey } from './note'

export interface Evidence {
  /** RFC 8785 of the clear members; what the leaf commits to. */
  entry: string
  /** RFC 8785 of the private members; null once they were erased. */
  private: string | null
  index: number
  size: number
  path: string[]
  /** The signed note. */
  checkpoint: string
  /** The log's verifier key. */
  key: string
}

export type StepName = 'shown' | 'private' | 'leaf' | 'tree' | 'signature'

export interface Step {
  name: StepName
  holds: boolean
  /** The value that was computed, or why the step failed. */
  found: string
}

/** What is read of the fact: the members of both records, as the page shows them. */
export type Shown = { clear: Json; private: Json | null }

class Broken extends Error {}

export async function verify(evidence: Evidence, shown: Shown): Promise<Step[]> {
  if (!globalThis.crypto?.subtle) throw new Error('no WebCrypto outside a secure context')
  let root: Bytes | undefined
  const steps: [StepName, () => Promise<string>][] = [
    ['shown', async () => compare(evidence, shown)],
    ['private', () => privateHash(evidence)],
    ['leaf', async () => toHex(await entryHash(evidence))],
    [
      'tree',
      async () => {
        root = await rootFromProof(
          await leafHash(await entryHash(evidence)),
          evidence.index,
          evidence.size,
          evidence.path.map(hash),
        )
        if (!root) throw new Broken('the proof is not of this size')
        return toHex(root)
      },
    ],
    [
      'signature',
      async () => {
        const key = await parseKey(evidence.key)
        const checkpoint = await openCheckpoint(evidence.checkpoint, key)
        if (!root || checkpoint.size !== evidence.size || !equal(checkpoint.root, root)) {
          throw new Broken('the proof does not lead to the signed root')
        }
        return `${key.name} ${toHex(key.id)}`
      },
    ],
  ]
  const done: Step[] = []
  for (const [name, step] of steps) {
    done.push(
      await step().then(
        (found) => ({ name, holds: true, found }),
        (error: unknown) => ({
          name,
          holds: false,
          found: error instanceof Error ? error.message : String(error),
        }),
      ),
    )
  }
  return done
}

function entryHash(evidence: Evidence): Promise<Bytes> {
  return sha256(utf8(evidence.entry))
}

async function privateHash(evidence: Evidence): Promise<string> {
  const { private_hash } = parseCanonical(evidence.entry) as { private_hash?: Json }
  if (evidence.private === null) return `${private_hash}`
  const computed = toHex(await sha256(utf8(evidence.private)))
  if (computed !== private_hash) throw new Broken(`${computed} is not the private_hash of the entry`)
  return computed
}

/** Every member shown must be in the bytes, and every member of the bytes must be shown. */
function compare(evidence: Evidence, shown: Shown): string {
  same('entry', parseCanonical(evidence.entry), shown.clear)
  if (evidence.private !== null) same('private', parseCanonical(evidence.private), shown.private)
  return `${utf8(evidence.entry).length + utf8(evidence.private ?? '').length} bytes`
}

function same(place: string, logged: Json, shown: Json): void {
  if (isObject(logged) && isObject(shown)) {
    for (const name of new Set([...Object.keys(logged), ...Object.keys(shown)])) {
      same(`${place}.${name}`, logged[name] ?? null, shown[name] ?? null)
    }
  } else if (Array.isArray(logged) && Array.isArray(shown) && logged.length === shown.length) {
    for (const [at, item] of logged.entries()) same(`${place}[${at}]`, item, shown[at] ?? null)
  } else if (logged !== shown) {
    throw new Broken(
      `${place} was logged as ${JSON.stringify(logged)} but is shown as ${JSON.stringify(shown)}`,
    )
  }
}

function isObject(value: Json): value is { [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function hash(text: string): Bytes {
  const bytes = fromHex(text)
  if (bytes?.length !== 32) throw new Broken('a hash of the proof is malformed')
  return bytes
}
