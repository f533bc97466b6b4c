/** Egress rules as people type them: methods, and an address without its query. */

import type { EgressRule } from '../api/types'

export interface RuleDraft {
  /** Stays with its row while others come and go. */
  key: number
  methods: string
  address: string
}

type Methods = NonNullable<EgressRule['methods']>

const READING: Methods = ['GET', 'HEAD']
const ADDRESS = /^(https?):\/\/((?:\*\.)?[^\s/:?#@[\]]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?(\/[^\s?#]*)?$/

export function draftsOf(rules: EgressRule[]): RuleDraft[] {
  return rules.map((rule, key) => ({ key, methods: methodsOf(rule).join(', '), address: addressOf(rule) }))
}

/** The rules, or undefined while one of them is none. */
export function rulesOf(drafts: RuleDraft[]): EgressRule[] | undefined {
  const rules = drafts.map(ruleOf)
  return rules.every((rule) => rule !== undefined) ? rules : undefined
}

export function ruleOf({ methods, address }: RuleDraft): EgressRule | undefined {
  const [, scheme, host, port, path] = ADDRESS.exec(address.trim()) ?? []
  if (!scheme || !host) return undefined
  const named = methods
    .toUpperCase()
    .split(/[\s,]+/)
    .filter(Boolean)
  return {
    methods: (named.length > 0 ? named : READING) as Methods,
    host,
    path: path ?? '/',
    scheme: scheme as 'https' | 'http',
    ...(port && { port: Number(port) }),
  }
}

export function shownRule(rule: EgressRule): string {
  return `${methodsOf(rule).join(',')} ${addressOf(rule)}`
}

function methodsOf({ methods }: EgressRule): Methods {
  return methods ?? READING
}

function addressOf({ scheme, host, port, path }: EgressRule): string {
  return `${scheme ?? 'https'}://${host}${port ? `:${port}` : ''}${path ?? '/'}`
}
