import type { ReactNode } from 'react'

/** What stands out in a rule: comments, texts, words of the language, numbers, what is asked about, what is decided. */
const tokens =
  /(?<comment>#[^\n]*)|(?<string>"(?:\\.|[^"\\\n])*"|`[^`]*`)|(?<keyword>\b(?:package|import|as|default|if|contains|every|some|in|not|with|else|true|false|null)\b)|(?<number>\b\d+(?:\.\d+)?\b)|(?<subject>\b(?:input|data)\b)|(?<verdict>\b(?:allow|deny|require_approval)\b)/g

/** Rego in its colours. It only tells words apart; what is wrong with them, the server says. */
export function rego(text: string): ReactNode {
  const parts: ReactNode[] = []
  let done = 0
  for (const match of text.matchAll(tokens)) {
    const kind = Object.entries(match.groups ?? {}).find(([, found]) => found !== undefined)?.[0]
    parts.push(
      text.slice(done, match.index),
      <span key={match.index} className={kind}>
        {match[0]}
      </span>,
    )
    done = match.index + match[0].length
  }
  parts.push(text.slice(done))
  return parts
}
