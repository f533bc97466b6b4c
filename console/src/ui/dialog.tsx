import { type ReactNode, useEffect, useId, useRef } from 'react'
import { useText } from '../text'
import { Button } from './button'

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
          <h2 id={id}>{title}</h2>
          <Button look="ghost" icon="cross" compact onClick={onClose}>
            {text.close}
          </Button>
        </header>
        {children}
      </div>
    </dialog>
  )
}
