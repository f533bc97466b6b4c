/** People to be brought in, as somebody has them: JSON as the API takes it, or lines with a head (RFC 4180). */

import type { Import } from '../api/types'

type Entry = Import['entries'][number]

const columns = ['external_id', 'username', 'email', 'display_name', 'roles'] as const

/** The entries, or undefined while the text is neither. */
export function entriesOf(text: string): Entry[] | undefined {
  const trimmed = text.trim()
  if (trimmed === '') return []
  return /^[[{]/.test(trimmed) ? fromJson(trimmed) : fromLines(trimmed)
}

function fromJson(text: string): Entry[] | undefined {
  try {
    const value = JSON.parse(text)
    const list = Array.isArray(value) ? value : value.entries
    return Array.isArray(list) ? list : undefined
  } catch {
    return undefined
  }
}

function fromLines(text: string): Entry[] | undefined {
  const [head, ...rows] = records(text)
  if (!head || head.some((name) => !columns.some((known) => known === name.trim()))) return undefined
  const names = head.map((name) => name.trim() as (typeof columns)[number])
  return rows.map((row) => {
    const entry: Record<string, string | string[]> = {}
    for (const [at, name] of names.entries()) {
      const value = row[at]?.trim() ?? ''
      if (name === 'roles') entry.roles = value.split(/[\s;|]+/).filter(Boolean)
      else if (value !== '') entry[name] = value
    }
    return entry as unknown as Entry
  })
}

/** Fields by commas, semicolons or tabs, whichever the head has; quotes hold what would end a field. */
function records(text: string): string[][] {
  const head = text.slice(0, text.search(/\r?\n|$/))
  const divider = [',', ';', '\t'].find((mark) => head.includes(mark)) ?? ','
  const rows: string[][] = [['']]
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const mark = text[at] ?? ''
    const row = rows[rows.length - 1] ?? []
    const last = row.length - 1
    if (quoted && mark === '"' && text[at + 1] === '"') {
      row[last] += '"'
      at++
    } else if (mark === '"') quoted = !quoted
    else if (!quoted && mark === divider) row.push('')
    else if (!quoted && mark === '\n') rows.push([''])
    else if (mark !== '\r' || quoted) row[last] += mark
  }
  return rows.filter((row) => row.some((field) => field.trim() !== ''))
}
