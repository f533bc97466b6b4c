import { type FormEvent, type ReactNode, useState } from 'react'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Dialog } from '../ui/dialog'
import { Field } from '../ui/form'
import { legible, shown } from '../ui/name'
import { Failure } from '../ui/page'
import { Equivalent, type EquivalentProps } from './equivalent'

interface ConfirmProps {
  title: string
  detail?: ReactNode
  /** What has to be typed first; left out where the change can be taken back. */
  name?: string
  act: string
  change: { mutate: (input: undefined) => void; isPending: boolean; error: Error | null }
  same: EquivalentProps
  onClose: () => void
  /** Further fields. */
  children?: ReactNode
}

/** Asks before a change that hurts. What is final is confirmed by its name. */
export function Confirm({ title, detail, name, act, change, same, onClose, children }: ConfirmProps) {
  const text = useText()
  const [typed, setTyped] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    change.mutate(undefined)
  }
  return (
    <Dialog title={title} kind="centre" onClose={onClose}>
      <form className="form" onSubmit={submit}>
        {detail && <p>{shown(detail)}</p>}
        {children}
        {name !== undefined && (
          <Field label={text.confirmByName(name)}>
            {(ids) => (
              <input
                {...ids}
                className="mono"
                value={typed}
                autoComplete="off"
                spellCheck={false}
                onChange={(event) => setTyped(event.target.value)}
              />
            )}
          </Field>
        )}
        {change.error && <Failure error={change.error} />}
        <Equivalent {...same} />
        <footer>
          <Button onClick={onClose}>{text.cancel}</Button>
          <Button
            type="submit"
            look="danger"
            busy={change.isPending}
            // What cannot be typed is typed as it is shown.
            reason={
              name === undefined || typed === name || typed === legible(name) ? undefined : text.confirmReason
            }
          >
            {act}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}
