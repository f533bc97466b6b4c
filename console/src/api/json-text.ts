/**
 * JSON kept as the text that it is: a number of JavaScript cannot hold every number of JSON (RFC 8259, section 6), so what is
 * read and written again may come out as another. Everything here takes text that is JSON.
 */

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g

export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Without the spaces and lines between what it says. */
export function compact(text: string): string {
  return tokens(text).join('')
}

/** Laid out as `JSON.stringify(…, null, 2)` does; every number with its own digits. */
export function indented(text: string): string {
  let depth = 0
  let before = ''
  let out = ''
  for (const token of tokens(text)) {
    const closes = token === '}' || token === ']'
    if (closes) depth--
    const begins = before === '{' || before === '[' || before === ','
    const empty = closes && (before === '{' || before === '[')
    if ((begins && !empty) || (closes && !empty)) out += `\n${'  '.repeat(depth)}`
    else if (before === ':') out += ' '
    // Characters that were written by their numbers are shown as themselves.
    out += token.startsWith('"') ? JSON.stringify(JSON.parse(token)) : token
    if (token === '{' || token === '[') depth++
    before = token
  }
  return out
}

/** The text of each member's value, by its name; of an object. */
export function members(text: string): Map<string, string> {
  const found = new Map<string, string>()
  let depth = 0
  let name: string | undefined
  let value = ''
  for (const token of tokens(text)) {
    if (token === '}' || token === ']') depth--
    if (depth === 0 || (depth === 1 && token === ',')) {
      if (name !== undefined) found.set(name, value)
      name = undefined
      value = ''
    } else if (name === undefined) name = JSON.parse(token)
    else if (depth > 1 || token !== ':') value += token
    if (token === '{' || token === '[') depth++
  }
  return found
}

function tokens(text: string): string[] {
  return text.match(TOKEN) ?? []
}
