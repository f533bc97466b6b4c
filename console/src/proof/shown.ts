/** What the console shows of a fact, written as the members of the records that the log hashed. */

import type { FactDetail } from '../api/types'
import { type Evidence, type Step, verify } from './fact'
import type { Json } from './jcs'

/**
 * Checks the answer to a request for the fact `asked`. Empty where there is nothing to check yet, or nothing any more
 * because the fact was erased.
 */
export async function verifyFact(fact: FactDetail, asked: string): Promise<Step[]> {
  const { proof } = fact
  if (proof?.clear == null || proof.private == null) return []
  if (fact.id !== asked)
    return [{ name: 'shown', holds: false, found: `${asked} was asked for, ${fact.id} was answered` }]
  // A fact that stands elsewhere than its proof is not the fact that was proven.
  const evidence: Evidence = {
    ...proof,
    clear: proof.clear,
    private: proof.private,
    seq: fact.seq === proof.seq ? proof.seq : -1,
  }
  return verify(evidence, { clear: clear(fact, proof.clear), private: hidden(fact, proof.private) })
}

type Members = { [name: string]: Json }

/** `private_hash` is compared with the private part itself, in a step of its own. */
function clear(fact: FactDetail, bytes: string): Members {
  const { private_hash = null } = members(bytes)
  return {
    v: 1,
    id: fact.id,
    org: fact.org,
    org_seq: fact.org_seq,
    occurred_at: fact.occurred_at,
    kind: fact.kind,
    outcome: fact.outcome,
    severity: fact.severity,
    actor_kind: fact.actor.kind,
    actor_id: fact.actor.id ?? null,
    target_type: fact.target?.type ?? null,
    target_id: fact.target?.id ?? null,
    jti: fact.jti ?? null,
    txn: fact.txn ?? null,
    credential: fact.credential ?? null,
    run: fact.run ?? null,
    request: fact.request ?? null,
    cause: fact.cause ?? null,
    private_hash,
  }
}

/** The salt keeps the hash from being guessed; it says nothing of the fact and is not shown. */
function hidden(fact: FactDetail, bytes: string): Members {
  const { salt = null } = members(bytes)
  return {
    v: 1,
    salt,
    act: given(fact.act),
    actor: fact.actor.display ?? null,
    target: fact.target?.name ?? null,
    on_behalf_of: given(fact.on_behalf_of),
    data: given(fact.data),
    data_hash: given(fact.data_hash),
    repeated: given(fact.repeated),
    ip: fact.ip ?? null,
    user_agent: fact.user_agent ?? null,
  }
}

/** Bytes that are no JSON have no members; that they are not canonical is found by the check. */
function members(bytes: string): Members {
  try {
    return JSON.parse(bytes) as Members
  } catch {
    return {}
  }
}

/** What is empty was not recorded. */
function given(value: unknown): Json {
  if (value === null || value === undefined || Object.keys(value).length === 0) return null
  return value as Json
}
