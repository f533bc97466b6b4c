import { useState } from 'react'
import { useText } from '../../text'
import { Field } from '../../ui/form'

interface NewPasswordProps {
  value: string
  error?: string | undefined
  onChange: (value: string) => void
}

/** A password that is chosen now; it can be looked at instead of being typed twice. */
export function NewPassword({ value, error, onChange }: NewPasswordProps) {
  const text = useText()
  const [shown, setShown] = useState(false)
  return (
    <>
      <Field label={text.signIn.newPassword} hint={text.signIn.passwordRule} error={error}>
        {(ids) => (
          <input
            {...ids}
            type={shown ? 'text' : 'password'}
            autoComplete="new-password"
            value={value}
            required
            minLength={12}
            onChange={(event) => onChange(event.target.value)}
          />
        )}
      </Field>
      <label className="check">
        <input type="checkbox" checked={shown} onChange={(event) => setShown(event.target.checked)} />
        {text.signIn.showPassword}
      </label>
    </>
  )
}
