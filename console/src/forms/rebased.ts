import { same } from './merge-patch'

/** What was left alone follows the newer one; what was typed stays. */
export function rebased<Draft extends object>(draft: Draft, from: Draft, to: Draft): Draft {
  const names = [...new Set([...Object.keys(draft), ...Object.keys(to)])] as (keyof Draft)[]
  return Object.fromEntries(
    names.map((name) => [name, same(draft[name], from[name]) ? to[name] : draft[name]]),
  ) as unknown as Draft
}
