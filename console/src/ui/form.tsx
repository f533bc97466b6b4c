import { type ReactNode, useId } from 'react'
import { Name, shown } from './name'

interface FieldProps {
  label: string
  hint?: ReactNode
  error?: string | undefined
  optional?: string
  children: (ids: {
    id: string
    'aria-describedby': string | undefined
    'aria-invalid': boolean | undefined
  }) => ReactNode
}

/** A control under its label; hint and refusal are read with it. */
export function Field({ label, hint, error, optional, children }: FieldProps) {
  const id = useId()
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined
  return (
    <div className="field">
      <label htmlFor={id}>
        <Name of={label} />
        {optional && <span className="muted"> {optional}</span>}
      </label>
      {children({ id, 'aria-describedby': described, 'aria-invalid': error ? true : undefined })}
      {hint && (
        <p className="muted" id={`${id}-hint`}>
          {shown(hint)}
        </p>
      )}
      {error && (
        <p className="wrong" id={`${id}-error`}>
          <Name of={error} />
        </p>
      )}
    </div>
  )
}
