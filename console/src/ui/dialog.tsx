import { type ReactNode, useEffect, useId, useRef } from 'react'
import { useText } from '../text'
import { Button } from './button'
import { Name } from './name'

/** What is filled in comes first, else what the footer offers; never the way out. */
const FIRST = ['[data-first]', ':is(input, select, textarea):not([type="radio"])', 'footer button:last-child']

interface DialogProps {
  title: string
  /** `side` for create and edit, `centre` for a question. */
  kind: 'side' | 'centre'
  onClose: () => void
  children: ReactNode
}

/** The browser's own modal dialog: it keeps the focus, makes the rest inert and closes on Escape. */
export function Dialog({ title, kind, onClose, children }: DialogProps) {
  const text = useText()
  const id = useId()
  const ref = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const dialog = ref.current
    const opener = document.activeElement
    dialog?.showModal()
    const first = FIRST.map((selector) => dialog?.querySelector<HTMLElement>(selector)).find(Boolean)
    first?.focus()
    return () => {
      dialog?.close()
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus()
    }
  }, [])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape does what a click outside does
    <dialog
      ref={ref}
      className={`dialog ${kind}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget && kind === 'centre') onClose()
      }}
    >
      <div className="dialog-body">
        <header>
          <h2 id={id}>
            <Name of={title} />
          </h2>
          <Button look="ghost" icon="cross" compact onClick={onClose}>
            {text.close}
          </Button>
        </header>
        {children}
      </div>
    </dialog>
  )
}
