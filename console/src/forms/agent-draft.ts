/** What a form says of an agent: as typed, and as the API takes it. */

import type { Agent, Body } from '../api/types'
import { command, flag, flags, given } from '../components/equivalent'
import { isMembers, mergePatch, same } from './merge-patch'

export const agentTypes = [
  'screener',
  'classifier',
  'orchestrator',
  'extractor',
  'summarizer',
  'router',
  'monitor',
  'custom',
]

/** As typed: lists by lines or spaces, metadata as JSON. */
export interface Draft {
  display_name: string
  description: string
  type: string
  version: string
  deployment_env: string
  visibility: string
  owner: string
  roles: string
  permissions: string
  capabilities: string
  tags: string
  metadata: string
}

/** The server's own defaults; the owner is whoever registers. */
export const blank: Draft = {
  display_name: '',
  description: '',
  type: 'custom',
  version: '',
  deployment_env: 'development',
  visibility: 'organization',
  owner: '',
  roles: '',
  permissions: '',
  capabilities: '',
  tags: '',
  metadata: '',
}

export function draftOf(agent: Agent): Draft {
  return {
    display_name: agent.display_name,
    description: agent.description,
    type: agent.type,
    version: agent.version,
    deployment_env: agent.deployment_env,
    visibility: agent.visibility,
    owner: agent.owner.id,
    roles: agent.roles.join('\n'),
    permissions: agent.permissions.join('\n'),
    capabilities: agent.capabilities.join('\n'),
    tags: agent.tags.join(' '),
    metadata: Object.keys(agent.metadata).length > 0 ? JSON.stringify(agent.metadata, null, 2) : '',
  }
}

/** Undefined while the metadata is no JSON object. */
export function metadataOf({ metadata }: Draft): Record<string, unknown> | undefined {
  if (metadata.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(metadata)
    return isMembers(value) ? value : undefined
  } catch {
    return undefined
  }
}

const lists = ['roles', 'permissions', 'capabilities', 'tags'] as const

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean)
}

/** What differs from `base`, for a patch or a new agent. */
export function changed(draft: Draft, base: Draft): Body<'agents.update'> {
  const texts = (
    ['display_name', 'description', 'version', 'type', 'deployment_env', 'visibility', 'owner'] as const
  )
    .filter((name) => draft[name].trim() !== base[name])
    .map((name) => [name, draft[name].trim()])
  const listed = lists
    .map((name) => [name, words(draft[name])] as const)
    .filter(([name, list]) => !same(list, words(base[name])))
  const metadata = mergePatch(metadataOf(base) ?? {}, metadataOf(draft) ?? {})
  return { ...Object.fromEntries(texts), ...Object.fromEntries(listed), ...(metadata && { metadata }) }
}

/** The command that says the same. */
export function agentCommand(
  verb: 'register' | 'update',
  name: string,
  body: Body<'agents.update'>,
  ...more: (string | undefined)[]
) {
  return command(
    `safeconduct agents ${verb}`,
    name,
    given('display-name', body.display_name),
    given('description', body.description),
    flag('type', body.type),
    flag('agent-version', body.version),
    flag('env', body.deployment_env),
    flag('visibility', body.visibility),
    flag('owner', body.owner),
    flags('role', body.roles),
    flags('permission', body.permissions),
    flags('capability', body.capabilities),
    flags('tag', body.tags),
    ...Object.entries(body.metadata ?? {}).map(([key, value]) =>
      given('metadata', `${key}=${JSON.stringify(value)}`),
    ),
    ...more,
  )
}
