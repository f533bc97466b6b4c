/** Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint), as far as a log's own Ed25519 key signs them. */

import { type Bytes, concat, equal, fromBase64, sha256, toHex, utf8 } from './bytes'

const ED25519 = 1

export interface VerifierKey {
  name: string
  id: Bytes
  public: Bytes
}

export interface Checkpoint {
  origin: string
  size: number
  root: Bytes
}

export class NoteProblem extends Error {}

/** Reads `<name>+<8 hexadecimal digits>+<base64 of type and key>` and checks that the id belongs to the key. */
export async function parseKey(text: string): Promise<VerifierKey> {
  const [, name, id, encoded] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text) ?? []
  const key = encoded === undefined ? undefined : fromBase64(encoded)
  if (name === undefined || key === undefined || key.length !== 33)
    throw new NoteProblem('not a verifier key')
  if (key[0] !== ED25519) throw new NoteProblem('not an Ed25519 key of a log')
  const digest = await sha256(concat(utf8(name), utf8('\n'), key))
  const expected = digest.slice(0, 4)
  if (toHex(expected) !== id) throw new NoteProblem('the key id does not belong to the key')
  return { name, id: expected, public: key.slice(1) }
}

/** The checkpoint of a note that `key` signed. Lines of other signers are neither trusted nor in the way. */
export async function openCheckpoint(note: string, key: VerifierKey): Promise<Checkpoint> {
  const end = note.lastIndexOf('\n\n')
  if (end < 0 || !note.endsWith('\n')) throw new NoteProblem('not a signed note')
  const text = note.slice(0, end + 1)
  const signatures = note
    .slice(end + 2, -1)
    .split('\n')
    .map(parseSignature)
  const ours = signatures.filter((line) => line.name === key.name && equal(line.id, key.id))
  if (ours.length === 0) throw new NoteProblem('the log did not sign this checkpoint')
  const imported = await crypto.subtle.importKey('raw', key.public, 'Ed25519', false, ['verify'])
  for (const line of ours) {
    const holds = await crypto.subtle.verify('Ed25519', imported, line.signature, utf8(text))
    if (!holds) throw new NoteProblem('the signature does not fit the checkpoint')
  }
  const checkpoint = parseCheckpoint(text)
  if (checkpoint.origin !== key.name) throw new NoteProblem('the checkpoint is of another log')
  return checkpoint
}

function parseSignature(line: string): { name: string; id: Bytes; signature: Bytes } {
  const [, name, encoded] = /^— (\S+) (\S+)$/.exec(line) ?? []
  const bytes = encoded === undefined ? undefined : fromBase64(encoded)
  if (name === undefined || bytes === undefined || bytes.length < 5)
    throw new NoteProblem('not a signature line')
  return { name, id: bytes.slice(0, 4), signature: bytes.slice(4) }
}

function parseCheckpoint(text: string): Checkpoint {
  const [origin, count, encoded] = text.slice(0, -1).split('\n')
  const size = Number(count)
  const root = encoded === undefined ? undefined : fromBase64(encoded)
  if (!origin || String(size) !== count || !Number.isSafeInteger(size) || root?.length !== 32) {
    throw new NoteProblem('not a checkpoint')
  }
  return { origin, size, root }
}
