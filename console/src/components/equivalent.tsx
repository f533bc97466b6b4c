import type { ReactNode } from 'react'
import { useText } from '../text'
import { CodeBlock } from '../ui/copy'

export interface EquivalentProps {
  /** Left out where no command makes the change. */
  cli?: string | undefined
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  body?: unknown
  /** The body in its own words, where it is sent as somebody typed it. */
  sent?: string
  /** Sent as If-Match: the change is refused if the thing has another by now. */
  revision?: number
  /** Which of several acts it is, where a page offers more than one. */
  act?: string
  /** What the command needs besides, such as a file that it reads. */
  children?: ReactNode
}

/** The same change from a terminal, by our command and by the plain API. */
export function Equivalent({ cli, method, path, body, sent, revision, act, children }: EquivalentProps) {
  const text = useText()
  return (
    <details className="equivalent">
      <summary>{act ? `${text.equivalent}: ${act}` : text.equivalent}</summary>
      {cli && <CodeBlock code={cli} label={text.byCli} wrap />}
      {cli && children}
      <CodeBlock
        code={curl(method, path, sent ?? (body === undefined ? undefined : JSON.stringify(body)), revision)}
        label={text.byApi}
        wrap
      />
    </details>
  )
}

function curl(method: string, path: string, body: string | undefined, revision: number | undefined): string {
  const lines = [
    `curl -X ${method} ${quoted(location.origin + path)}`,
    '-H "authorization: Bearer $SAFECONDUCT_TOKEN"',
  ]
  if (revision !== undefined) lines.push(`-H 'if-match: "${revision}"'`)
  if (body !== undefined) lines.push("-H 'content-type: application/json'", `-d ${quoted(body)}`)
  return lines.join(' \\\n  ')
}

/** A word of a shell command, quoted when it has to be. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** A command of parts; those that are empty or undefined are left out. */
export function command(...parts: (string | undefined | false)[]): string {
  return parts.filter(Boolean).join(' ')
}

/** `--name value`, or nothing. */
export function flag(name: string, value: string | number | undefined | null): string | undefined {
  return value === '' ? undefined : given(name, value)
}

/** `--name value`, also for an empty value; nothing if there is none. */
export function given(name: string, value: string | number | boolean | undefined | null): string | undefined {
  if (value === undefined || value === null) return undefined
  const word = String(value)
  // What begins like a flag would be read as one.
  return `--${name}${word.startsWith('-') ? '=' : ' '}${quoted(word)}`
}

/** The flag once for each value; an empty list is said by one empty value. */
export function flags(name: string, values: string[] | undefined | null): string | undefined {
  if (!values) return undefined
  return (values.length > 0 ? values : ['']).map((value) => given(name, value)).join(' ')
}
