import { useText } from '../text'
import { CodeBlock } from '../ui/copy'

interface EquivalentProps {
  cli: string
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  path: string
  body?: unknown
}

/** The same change from a terminal, by our command and by the plain API. */
export function Equivalent({ cli, method, path, body }: EquivalentProps) {
  const text = useText()
  return (
    <details className="equivalent">
      <summary>{text.equivalent}</summary>
      <CodeBlock code={cli} label={text.byCli} wrap />
      <CodeBlock code={curl(method, path, body)} label={text.byApi} wrap />
    </details>
  )
}

function curl(method: string, path: string, body: unknown): string {
  const lines = [
    `curl -X ${method} ${quoted(location.origin + path)}`,
    '-H "authorization: Bearer $SAFECONDUCT_TOKEN"',
  ]
  if (body !== undefined)
    lines.push("-H 'content-type: application/json'", `-d ${quoted(JSON.stringify(body))}`)
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
  return value === undefined || value === null || value === ''
    ? undefined
    : `--${name} ${quoted(String(value))}`
}
