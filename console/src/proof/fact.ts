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
  /** The leaf's index. */
  seq: number
  /** RFC 8785 of the clear members, whose SHA-256 is the leaf's entry. */
  clear: string
  /** RFC 8785 of the private members, whose SHA-256 stands in the clear ones. */
  private: string
  entry: string
  leaf_hash: string
  tree_size: number
  path: string[]
  /** The signed note. */
  checkpoint: string
  /** The log's verifier key. */
  key: string
}

/** The members of both records as the page shows them. */
export interface Shown {
  clear: { [name: string]: Json }
  private: { [name: string]: Json }
}

export type StepName = 'shown' | 'private' | 'leaf' | 'tree' | 'signature'

export interface Step {
  name: StepName
  holds: boolean
  /** The value that was computed, or why the step failed. */
  found: string
}

class Broken extends Error {}

export async function verify(evidence: Evidence, shown: Shown): Promise<Step[]> {
  if (!globalThis.crypto?.subtle)
    throw new Error('this page was not served securely, so the browser computes no hashes')
  const entry = await sha256(utf8(evidence.clear))
  const leaf = await leafHash(entry)
  const path = evidence.path.map(fromHex)
  const whole = path.every((node) => node !== undefined)
  const root = whole
    ? await rootFromProof(leaf, evidence.seq, evidence.tree_size, path as Bytes[])
    : undefined
  return Promise.all([
    step('shown', () => compare(evidence, shown)),
    step('private', () => privateHash(evidence)),
    step('leaf', () => expect(toHex(entry), evidence.entry)),
    step('tree', () => {
      expect(toHex(leaf), evidence.leaf_hash)
      if (!root) throw new Broken('the proof was not made for this place in a tree of this size')
      return toHex(root)
    }),
    step('signature', () => signature(evidence, root)),
  ])
}

async function step(name: StepName, check: () => string | Promise<string>): Promise<Step> {
  try {
    return { name, holds: true, found: await check() }
  } catch (error) {
    return { name, holds: false, found: error instanceof Error ? error.message : String(error) }
  }
}

/** Every member shown must be in the bytes, and every member of the bytes must be shown. */
function compare(evidence: Evidence, shown: Shown): string {
  same('clear', parseCanonical(evidence.clear), shown.clear)
  same('private', parseCanonical(evidence.private), shown.private)
  return `${utf8(evidence.clear).length} + ${utf8(evidence.private).length} bytes`
}

async function privateHash(evidence: Evidence): Promise<string> {
  const { private_hash } = parseCanonical(evidence.clear) as { private_hash?: Json }
  return expect(toHex(await sha256(utf8(evidence.private))), private_hash)
}

async function signature(evidence: Evidence, root: Bytes | undefined): Promise<string> {
  const key = await parseKey(evidence.key)
  const checkpoint = await openCheckpoint(evidence.checkpoint, key)
  if (checkpoint.size !== evidence.tree_size) throw new Broken('the checkpoint is of a tree of another size')
  if (!root || !equal(checkpoint.root, root))
    throw new Broken('the proof does not lead to the root that was signed')
  return `${key.name} ${toHex(key.id)}`
}

function expect(computed: string, said: unknown): string {
  if (computed !== said) throw new Broken(`computed ${computed}, but the answer says ${said}`)
  return computed
}

/** A member that is null was not recorded. */
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
