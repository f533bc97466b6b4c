import { type FormEvent, useState } from 'react'
import { answered, api } from '../../api/client'
import { Problem } from '../../api/problem'
import type { Factor } from '../../api/types'
import { useChange } from '../../hooks/change'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Dialog } from '../../ui/dialog'
import { Field } from '../../ui/form'
import { Failure } from '../../ui/page'

const path = '/api/v1/auth/factors/{factor}'

export function Renaming({ factor, onClose }: { factor: Factor; onClose: () => void }) {
  const text = useText()
  const [label, setLabel] = useState(factor.label)
  const rename = useChange(
    (label: string) =>
      answered(api.PATCH(path, { params: { path: { factor: factor.id } }, body: { label } })),
    onClose,
  )
  const refused = rename.error instanceof Problem ? rename.error : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    rename.mutate(label.trim())
  }
  return (
    <Dialog title={text.security.renameTitle(factor.label)} kind="centre" onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <Field label={text.security.label} error={refused?.of('label')}>
          {(ids) => (
            <input
              {...ids}
              value={label}
              required
              maxLength={100}
              onChange={(event) => setLabel(event.target.value)}
            />
          )}
        </Field>
        {rename.error && <Failure error={rename.error} />}
        <footer>
          <Button onClick={onClose}>{text.cancel}</Button>
          <Button
            type="submit"
            look="primary"
            busy={rename.isPending}
            reason={label.trim() === factor.label ? text.agents.unchanged : undefined}
          >
            {text.security.rename}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}

export function Removal({ factor, onClose }: { factor: Factor; onClose: () => void }) {
  const text = useText()
  const [typed, setTyped] = useState('')
  const remove = useChange(
    () => answered(api.DELETE(path, { params: { path: { factor: factor.id } } })),
    onClose,
  )
  const submit = (event: FormEvent) => {
    event.preventDefault()
    remove.mutate(undefined)
  }
  return (
    <Dialog title={text.security.removeTitle(factor.label)} kind="centre" onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <p>{text.security.removeDetail}</p>
        <Field label={text.confirmByName(factor.label)}>
          {(ids) => (
            <input
              {...ids}
              value={typed}
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => setTyped(event.target.value)}
            />
          )}
        </Field>
        {remove.error && <Failure error={remove.error} />}
        <footer>
          <Button onClick={onClose}>{text.cancel}</Button>
          <Button
            type="submit"
            look="danger"
            busy={remove.isPending}
            reason={typed === factor.label ? undefined : text.confirmReason}
          >
            {text.security.remove}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}
