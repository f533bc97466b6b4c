import { type KeyboardEvent, type ReactNode, useRef } from 'react'
import { useText } from '../text'

interface EditorProps {
  id?: string
  label: string
  value: string
  onChange?: (value: string) => void
  /** The lines that the server found wrong, counted from 1. */
  wrongLines?: readonly number[] | undefined
  rows?: number
  /** The text in its colours; drawn under the letters, which are then not seen themselves. */
  paint?: (text: string) => ReactNode
}

/**
 * A plain text editor with line numbers. Whoever only passes through leaves it by Tab; once something was typed or pressed in
 * it, Tab indents, and Escape and then Tab leaves, as the hint says.
 */
export function Editor({ id, label, value, onChange, wrongLines = [], rows = 18, paint }: EditorProps) {
  const text = useText()
  const numbers = useRef<HTMLOListElement>(null)
  const painted = useRef<HTMLPreElement>(null)
  const leaving = useRef(true)
  const press = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key === 'Escape') leaving.current = true
    else if (event.key === 'Tab' && !event.shiftKey && !leaving.current && onChange) {
      event.preventDefault()
      const { selectionStart, selectionEnd } = event.currentTarget
      event.currentTarget.setRangeText('    ', selectionStart, selectionEnd, 'end')
      onChange(event.currentTarget.value)
    } else if (event.key !== 'Shift') leaving.current = false
  }
  return (
    <div className={paint ? 'editor painted' : 'editor'}>
      <ol ref={numbers} aria-hidden="true">
        {value.split('\n').map((_, line) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a line's number is what it is
          <li key={line} className={wrongLines.includes(line + 1) ? 'wrong' : undefined}>
            {line + 1}
          </li>
        ))}
      </ol>
      {paint && (
        <pre ref={painted} aria-hidden="true">
          {paint(value)}
          {'\n'}
        </pre>
      )}
      <textarea
        id={id}
        aria-label={label}
        aria-description={onChange && text.editorHint}
        title={onChange && text.editorHint}
        wrap="off"
        spellCheck={false}
        autoCapitalize="off"
        rows={rows}
        value={value}
        readOnly={!onChange}
        onChange={(event) => onChange?.(event.target.value)}
        onKeyDown={press}
        onFocus={() => {
          leaving.current = true
        }}
        onClick={() => {
          leaving.current = false
        }}
        onScroll={({ currentTarget: { scrollTop, scrollLeft } }) => {
          if (numbers.current) numbers.current.scrollTop = scrollTop
          painted.current?.scrollTo(scrollLeft, scrollTop)
        }}
      />
      {onChange && (
        <p className="leave" aria-hidden="true">
          {text.editorHint}
        </p>
      )}
    </div>
  )
}
