/** A bundle as it is edited: files by name, `data.json` among them. */

import type { PolicyBundle } from '../../api/types'

export interface File {
  path: string
  text: string
}

export const DATA = 'data.json'

export const first: File[] = [
  {
    path: 'agents.rego',
    text: `package safeconduct.agents

# Production agents are killed by the on-call group only.
deny contains "production agents are killed by the on-call group" if {
	input.operation == "agents.kill"
	input.resource.namespace == "prod"
	not "on-call" in input.principal.roles
}
`,
  },
]

export function filesOf({ modules, data }: PolicyBundle): File[] {
  const rules = modules.map(({ path, text }) => ({ path, text }))
  return data ? [...rules, { path: DATA, text: JSON.stringify(data, null, 2) }] : rules
}

/** Undefined while the data are no JSON. */
export function bundleOf(files: File[]): PolicyBundle | undefined {
  const modules = files.filter(({ path }) => path !== DATA)
  const data = files.find(({ path }) => path === DATA)?.text.trim()
  try {
    return { modules, ...(data && { data: JSON.parse(data) }) }
  } catch {
    return undefined
  }
}

/** The files of a command: the data go by a flag. */
export function named(files: File[]): string {
  const rules = files.filter(({ path }) => path !== DATA).map(({ path }) => path)
  return [...rules, files.some(({ path }) => path === DATA) && `--data ${DATA}`].filter(Boolean).join(' ')
}

/** The same for commands that only ask: with data, they read the folder in which all of it lies. */
export function asked(files: File[]): string[] {
  return files.some(({ path }) => path === DATA) ? ['.'] : files.map(({ path }) => path)
}

/** `agents.rego:3:5`, taken apart. */
export function placeIn(field: string): { path: string; line: number } | undefined {
  const found = /^(.+):(\d+):\d+$/.exec(field)
  return found?.[1] ? { path: found[1], line: Number(found[2]) } : undefined
}
