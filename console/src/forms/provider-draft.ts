/** A sign-in provider as its form holds it, and the patch that says what was changed. */

import type { AuthProvider, Body } from '../api/types'
import { mergePatch, same } from './merge-patch'
import { rebased } from './rebased'
import { type Schema, settingsOf, type Typed, typedOf } from './settings'

/** Whoever is in the group of the upstream directory has the role here. */
export interface GroupRole {
  group: string
  role: string
}

export interface ProviderDraft {
  shown: string
  settings: Typed
  creates: boolean
  given: string[]
  domains: string
  trusts: boolean
  groups: GroupRole[]
}

export function draftOf(provider: AuthProvider, schema: Schema): ProviderDraft {
  return {
    shown: provider.display_name,
    settings: typedOf(schema, provider.settings as Record<string, unknown>),
    creates: provider.create_users,
    given: provider.default_roles,
    domains: provider.allowed_domains.join(' '),
    trusts: provider.trust_email,
    groups: Object.entries(provider.group_roles).flatMap(([group, roles]) =>
      roles.map((role) => ({ group, role })),
    ),
  }
}

/** The rows as the API takes them; a row without a group says nothing yet, and one said twice is said once. */
export function groupRolesOf(rows: GroupRole[]): Record<string, string[]> {
  const map = new Map<string, string[]>()
  for (const { group: typed, role } of rows) {
    const group = typed.trim()
    if (group !== '' && role !== '') map.set(group, [...new Set([...(map.get(group) ?? []), role])].sort())
  }
  return Object.fromEntries(map)
}

/** The same as the command line takes them. */
export function groupRoleWords(map: Record<string, string[]>): string[] {
  return Object.entries(map).flatMap(([group, roles]) => roles.map((role) => `${group}=${role}`))
}

/**
 * What differs (RFC 7396). A secret that was left empty is kept, as it is not in the patch. Undefined while the settings are
 * not JSON.
 */
export function changed(
  draft: ProviderDraft,
  base: ProviderDraft,
  schema: Schema,
): Body<'auth_providers.update'> | undefined {
  const [before, after] = [whole(base, schema), whole(draft, schema)]
  if (!before || !after) return undefined
  const [old, wanted] = [groupRolesOf(base.groups), groupRolesOf(draft.groups)]
  return {
    ...(mergePatch(before, after) as Body<'auth_providers.update'> | undefined),
    // Replaces the whole map, so the whole is said.
    ...(!same(old, wanted) && { group_roles: wanted }),
  }
}

/** After somebody else's change: their values where nothing was typed, setting by setting. */
export function followed(draft: ProviderDraft, from: ProviderDraft, to: ProviderDraft): ProviderDraft {
  const settings = rebased(draft.settings, from.settings, to.settings)
  return { ...rebased(draft, from, to), settings }
}

function whole(draft: ProviderDraft, schema: Schema) {
  const settings = settingsOf(schema, draft.settings)
  return (
    settings && {
      display_name: draft.shown.trim(),
      settings,
      create_users: draft.creates,
      // In one order, so that unticking and ticking again is no change.
      default_roles: [...draft.given].sort(),
      allowed_domains: draft.domains.split(/[\s,]+/).filter(Boolean),
      trust_email: draft.trusts,
    }
  )
}
