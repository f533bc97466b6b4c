/**
 * Names and texts of others may hold characters that show nothing, or that turn the order of what stands beside them
 * (Unicode Technical Report 36). They are shown by their numbers, as Rust writes them: `\u{202E}`.
 */

/** C0 and C1 controls, marks and overrides of direction, separators of lines, and what has no width. */
const hidden = /[\p{Cc}\u{61C}\u{200B}\u{200E}\u{200F}\u{2028}-\u{202E}\u{2060}-\u{206F}\u{FEFF}]/gu

/** The same but for tabs and the ends of lines, which texts of several lines are made of. */
const hiddenInLines = new RegExp(`(?![\\n\\t])${hidden.source}`, hidden.flags)

export interface Piece {
  text: string
  /** Stands for a character that would not be seen. */
  hidden: boolean
}

/** What is to be shown, in pieces; `lines` keep their ends and tabs. */
export function pieces(text: string, of: 'name' | 'lines' = 'name'): Piece[] {
  const found: Piece[] = []
  let end = 0
  for (const match of text.matchAll(of === 'name' ? hidden : hiddenInLines)) {
    if (match.index > end) found.push({ text: text.slice(end, match.index), hidden: false })
    found.push({ text: number(match[0]), hidden: true })
    end = match.index + match[0].length
  }
  if (end < text.length) found.push({ text: text.slice(end), hidden: false })
  return found
}

/** The same as plain text, for attributes and titles. */
export function legible(text: string): string {
  return text.replace(hidden, number)
}

function number(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`
}
