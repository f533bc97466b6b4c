/** What the console shows of a fact, written as the members of the records that the log hashed. */

import type { FactDetail } from '../api/types'
import { type Step, verify } from './fact'
import type { Json } from './jcs'

export async function verifyFact(fact: FactDetail): Promise<Step[]> {
  const { proof } = fact
  if (!proof) return []
  const evidence = { ...proof, entry: proof.clear, index: proof.seq }
  return verify(evidence, { clear: clear(fact), private: hidden(fact) })
}

/** The hash of the private part is shown by nobody; it is compared by its own step. */
function clear(fact: FactDetail): Json {
  const logged = JSON.parse(fact.proof?.clear ?? '{}') as { private_hash?: string }
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
    private_hash: logged.private_hash ?? null,
  }
}

/** The salt keeps the hash from being guessed and says nothing of the fact. */
function hidden(fact: FactDetail): Json {
  const logged = JSON.parse(fact.proof?.private ?? '{}') as { [name: string]: Json }
  const { salt = null, data_hash = null, repeated = null } = logged
  return {
    v: 1,
    salt,
    data_hash,
    repeated,
    act: fact.act?.length ? (fact.act as unknown as Json) : null,
    actor: fact.actor.display ?? null,
    target: fact.target?.name ?? null,
    on_behalf_of: (fact.on_behalf_of ?? null) as unknown as Json,
    data: (fact.data ?? null) as Json,
    ip: fact.ip ?? null,
    user_agent: fact.user_agent ?? null,
  }
}
