import { type FormEvent, useEffect, useState } from 'react'
import { answered, api } from '../../api/client'
import { useChange } from '../../hooks/change'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Copyable } from '../../ui/copy'
import { Dialog } from '../../ui/dialog'
import { Field } from '../../ui/form'
import { Failure, Skeleton } from '../../ui/page'
import { QrCode } from '../../ui/qr'
import { InputFor } from '../sign-in/fields'

interface NewFactorProps {
  /** With recovery codes if there were none before. */
  onDone: (codes: string[]) => void
  onClose: () => void
}

/** An authenticator app: it reads the secret, and its first code proves that it did. */
export function NewApp({ onDone, onClose }: NewFactorProps) {
  const text = useText()
  const [label, setLabel] = useState('')
  const [code, setCode] = useState('')
  const begin = useChange(() => answered(api.POST('/api/v1/auth/factors/totp')))
  const confirm = useChange(
    (body: { state: string; code: string; label?: string }) =>
      answered(api.POST('/api/v1/auth/factors/totp/confirm', { body })),
    ({ recovery_codes }) => onDone(recovery_codes),
  )
  const { mutate } = begin
  useEffect(() => mutate(undefined), [mutate])
  const app = begin.data
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (app)
      confirm.mutate({ state: app.state, code: code.trim(), ...(label.trim() && { label: label.trim() }) })
  }
  return (
    <Dialog title={text.security.addApp} kind="side" onClose={onClose}>
      {begin.isPending && <Skeleton />}
      {begin.error && <Failure error={begin.error} onRetry={() => begin.mutate(undefined)} />}
      {app && (
        <form className="form" onSubmit={submit}>
          <p>{text.security.scan}</p>
          <QrCode of={app.uri} label={text.security.qr} />
          <p>
            {text.security.orType} <Copyable value={app.secret} shown={grouped(app.secret)} />
          </p>
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
          <InputFor name="code" value={code} onChange={setCode} />
          {confirm.error && <Failure error={confirm.error} />}
          <footer>
            <Button onClick={onClose}>{text.cancel}</Button>
            <Button type="submit" look="primary" busy={confirm.isPending}>
              {text.security.setUp}
            </Button>
          </footer>
        </form>
      )}
    </Dialog>
  )
}

/** Four at a time, as people type. */
function grouped(secret: string): string {
  return secret.replace(/(.{4})(?=.)/g, '$1 ')
}
