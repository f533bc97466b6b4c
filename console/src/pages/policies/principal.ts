import type { Identity } from '../../components/identity'

/** A person or an agent, told apart by the id. */
export function principalOf(id: string): Identity {
  return { kind: id.startsWith('agt_') ? 'agent' : 'user', id }
}
