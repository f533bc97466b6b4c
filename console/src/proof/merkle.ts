/** Merkle tree hashing and inclusion proofs (RFC 9162 §2.1.1, §2.1.3.2). */

import { type Bytes, concat, sha256 } from './bytes'

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

export function leafHash(entry: Bytes): Promise<Bytes> {
  return sha256(concat(LEAF, entry))
}

function nodeHash(left: Bytes, right: Bytes): Promise<Bytes> {
  return sha256(concat(NODE, left, right))
}

/**
 * The root that a proof leads to from the leaf at `index` of a tree of `size` leaves; undefined if the proof has not
 * exactly the hashes that these numbers ask for.
 */
export async function rootFromProof(
  leaf: Bytes,
  index: number,
  size: number,
  proof: Bytes[],
): Promise<Bytes | undefined> {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size)
    return undefined
  let node = leaf
  let here = index
  let last = size - 1
  const up = () => {
    here = Math.floor(here / 2)
    last = Math.floor(last / 2)
  }
  for (const sibling of proof) {
    if (last === 0 || sibling.length !== 32) return undefined
    if (here % 2 === 1 || here === last) {
      // The last node of a level without a sibling rises as it is.
      while (here % 2 === 0 && here !== 0) up()
      node = await nodeHash(sibling, node)
    } else {
      node = await nodeHash(node, sibling)
    }
    up()
  }
  return last === 0 ? node : undefined
}
