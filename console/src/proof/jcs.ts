/** Canonical JSON (RFC 8785): the one text of a value that everybody hashes alike. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

export class NotCanonical extends Error {}

export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    // The order of UTF-16 code units, which is how JavaScript compares strings (§3.2.3).
    const names = Object.keys(value).sort()
    return `{${names.map((name) => `${string(name)}:${canonical(value[name] as Json)}`).join(',')}}`
  }
  if (typeof value === 'string') return string(value)
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new NotCanonical(`${value} has no JSON form`)
  // ECMAScript's form of numbers and literals is the canonical one (§3.2.2).
  return JSON.stringify(value)
}

function string(text: string): string {
  if (!text.isWellFormed()) throw new NotCanonical('a string holds half a surrogate pair')
  return JSON.stringify(text)
}

/** The value of `text` if `text` is its canonical form: no second name, no other order, no other number. */
export function parseCanonical(text: string): Json {
  const value = JSON.parse(text) as Json
  if (canonical(value) !== text) throw new NotCanonical('the text is not in canonical form')
  return value
}
