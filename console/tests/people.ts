/** A second browser's person, and an organization with people in it, made as an operator of the API would. */

import type { Dns } from './dns'
import type { Server } from './server'

/** Claims a domain, publishes its record and has it looked for. */
export async function prove({ api }: Server, dns: Dns, name: string): Promise<void> {
  const domain = await api<{ id: string; record: string; value: string }>('POST', '/api/v1/domains', { name })
  dns.says(domain.record, domain.value)
  await api('POST', `/api/v1/domains/${domain.id}/prove`)
}

/** A person of a proved domain. */
export async function person(
  { api }: Server,
  email: string,
  display_name: string,
  roles: string[] = ['member'],
): Promise<string> {
  return (await api<{ id: string }>('POST', '/api/v1/users', { email, display_name, roles })).id
}
