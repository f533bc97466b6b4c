import { type ComponentProps, useEffect, useRef } from 'react'
import { useText } from '../../text'
import { Field } from '../../ui/form'

interface InputForProps {
  /** As the API calls it: `email`, `login`, `password`, `code` … */
  name: string
  value: string
  error?: string | undefined
  /** Gets the focus when it appears. */
  focused?: boolean
  onChange: (value: string) => void
}

/** How a browser and its password manager should treat what is asked for. */
const known: Record<string, ComponentProps<'input'>> = {
  email: { type: 'email', autoComplete: 'email' },
  login: { autoComplete: 'username', autoCapitalize: 'off', spellCheck: false },
  username: { autoComplete: 'username', autoCapitalize: 'off', spellCheck: false },
  password: { type: 'password', autoComplete: 'current-password' },
  recovery: { autoComplete: 'off', className: 'mono', autoCapitalize: 'off', spellCheck: false },
  code: { autoComplete: 'one-time-code', inputMode: 'numeric', className: 'mono' },
}

/** One field of those that a provider asks for; what the console does not know is a plain text under its own name. */
export function InputFor({ name, value, error, focused, onChange }: InputForProps) {
  const text = useText()
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (focused) input.current?.focus()
  }, [focused])
  const label = (text.signIn.fields as Record<string, string>)[name] ?? name.replaceAll('_', ' ')
  return (
    <Field label={label} error={error}>
      {(ids) => (
        <input
          {...ids}
          {...(known[name] ?? { autoComplete: 'off' })}
          ref={input}
          value={value}
          required
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  )
}
