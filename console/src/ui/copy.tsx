import { useEffect, useState } from 'react'
import { useText } from '../text'
import { Icon } from './icon'
import { Name } from './name'

/** Puts text on the clipboard; true for a moment afterwards. */
function useCopied(): [boolean, (text: string) => void] {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 1_500)
    return () => clearTimeout(timer)
  }, [copied])
  return [copied, (text) => void navigator.clipboard.writeText(text).then(() => setCopied(true))]
}

/** A value for machines: in mono, copied by a click. Long ids show their end, where they differ. */
export function Copyable({ value, shown }: { value: string; shown?: string }) {
  const text = useText()
  const [copied, copy] = useCopied()
  return (
    <button
      type="button"
      className="copyable"
      data-tip={copied ? text.copied : text.copy}
      onClick={() => copy(value)}
    >
      <span className="mono truncate">
        <Name of={shown ?? value} />
      </span>
      <Icon name={copied ? 'check' : 'copy'} />
      <span className="visually-hidden" aria-live="polite">
        {copied ? text.copied : text.copy}
      </span>
    </button>
  )
}

/** The prefix and the last characters of an id: enough to tell neighbours apart. */
export function shortId(id: string): string {
  const [prefix, rest] = id.split('_')
  return rest && rest.length > 12 ? `${prefix}_…${rest.slice(-8)}` : id
}

interface CodeBlockProps {
  code: string
  label: string
  wrap?: boolean
  /** Shown this once: a dialog begins here, so that no key that was meant for what came before closes it. */
  once?: boolean
}

/** Code or a command in a box with a button to copy it. */
export function CodeBlock({ code, label, wrap, once }: CodeBlockProps) {
  const text = useText()
  const [copied, copy] = useCopied()
  return (
    <figure className={`code-block${wrap ? ' wrap' : ''}`}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre tabIndex={0} role="region" aria-label={label}>
        <code>
          <Name of={code} as="lines" />
        </code>
      </pre>
      <button
        type="button"
        className="button ghost compact"
        data-tip={copied ? text.copied : text.copy}
        data-first={once || undefined}
        onClick={() => copy(code)}
      >
        <Icon name={copied ? 'check' : 'copy'} />
        <span className="visually-hidden" aria-live="polite">
          {copied ? text.copied : `${text.copy}: ${label}`}
        </span>
      </button>
    </figure>
  )
}

export function JsonBlock({ value, label }: { value: unknown; label: string }) {
  return <CodeBlock code={JSON.stringify(value ?? null, null, 2)} label={label} wrap />
}
