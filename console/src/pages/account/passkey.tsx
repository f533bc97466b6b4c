import { type FormEvent, useState } from 'react'
import { answered, api } from '../../api/client'
import type { Body } from '../../api/types'
import { useChange } from '../../hooks/change'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Dialog } from '../../ui/dialog'
import { Field } from '../../ui/form'
import { Failure } from '../../ui/page'
import { creation } from '../sign-in/flow'

/** A passkey: this device or a key makes it, and keeps what is secret. */
export function NewPasskey({ onDone, onClose }: { onDone: (codes: string[]) => void; onClose: () => void }) {
  const text = useText()
  const [label, setLabel] = useState('')
  const add = useChange(
    async (label: string) => {
      const { state, options } = await answered(api.POST('/api/v1/auth/factors/passkey'))
      const credential = await creation(options)
      const body = { state, credential, ...(label && { label }) } as Body<'auth.confirm_passkey'>
      return answered(api.POST('/api/v1/auth/factors/passkey/confirm', { body }))
    },
    ({ recovery_codes }) => onDone(recovery_codes),
  )
  const submit = (event: FormEvent) => {
    event.preventDefault()
    add.mutate(label.trim())
  }
  return (
    <Dialog title={text.security.addPasskey} kind="centre" onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <p>{text.security.passkeyDetail}</p>
        <Field label={text.security.label} optional={text.optional} hint={text.security.labelHint}>
          {(ids) => (
            <input
              {...ids}
              value={label}
              maxLength={100}
              onChange={(event) => setLabel(event.target.value)}
            />
          )}
        </Field>
        {add.error && <Failure error={add.error} />}
        <footer>
          <Button onClick={onClose}>{text.cancel}</Button>
          <Button type="submit" look="primary" busy={add.isPending}>
            {text.security.makePasskey}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}
