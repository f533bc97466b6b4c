/** JSON Merge Patch (RFC 7396): what has to be said to turn one value into another. */

type Members = Record<string, unknown>

/** The patch, or undefined when there is nothing to say. */
export function mergePatch(from: Members, to: Members): Members | undefined {
  const patch: Members = {}
  for (const name of Object.keys(from)) if (!(name in to)) patch[name] = null
  for (const [name, wanted] of Object.entries(to)) {
    const before = from[name]
    if (same(before, wanted)) continue
    // Objects are merged, so only what differs within them is said; everything else is replaced.
    patch[name] = isMembers(before) && isMembers(wanted) ? mergePatch(before, wanted) : wanted
  }
  return Object.keys(patch).length > 0 ? patch : undefined
}

export function same(one: unknown, other: unknown): boolean {
  if (isMembers(one) && isMembers(other)) {
    const names = Object.keys(one)
    return (
      names.length === Object.keys(other).length &&
      names.every((name) => name in other && same(one[name], other[name]))
    )
  }
  return JSON.stringify(one) === JSON.stringify(other)
}

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
