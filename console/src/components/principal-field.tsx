import { useText } from '../text'
import { Field } from '../ui/form'
import { Finder, type Found, type Kind } from './finder'

export type Principal = Found

interface PrincipalFieldProps {
  label: string
  kinds: Exclude<Kind, 'function' | 'id'>[]
  chosen: Principal | undefined
  onChoose: (principal: Principal | undefined) => void
  hint?: string
  optional?: string
  error?: string | undefined
}

/** Somebody or something of this organization, found by name or named by its id. */
export function PrincipalField({
  label,
  kinds,
  chosen,
  onChoose,
  hint,
  optional,
  error,
}: PrincipalFieldProps) {
  const text = useText()
  const said = chosen ? `${text.kinds[chosen.kind]} ${chosen.id}` : hint
  return (
    <Field label={label} {...(said && { hint: said })} {...(optional && { optional })} error={error}>
      {(ids) => (
        <Finder {...ids} label={label} kinds={kinds} placeholder={text.access.find} onChoose={onChoose} />
      )}
    </Field>
  )
}
