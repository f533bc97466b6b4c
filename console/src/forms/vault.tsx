import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { queries } from '../api/queries'
import { useText } from '../text'
import { Field } from '../ui/form'
import type { VaultPlace } from './settings'

interface VaultToggleProps {
  /** What the secret is called. */
  name: string
  place: VaultPlace | undefined
  refused: string | undefined
  onChange: (place: VaultPlace | undefined) => void
  /** The field of a secret that is kept here. */
  children: ReactNode
}

const NOWHERE: VaultPlace = { mount: 'secret', path: '', key: '' }

/** A secret, or where in the server's Vault it lies; without a Vault there is nothing to choose. */
export function VaultToggle({ name, place, refused, onChange, children }: VaultToggleProps) {
  const text = useText()
  const { data: health } = useQuery(queries.health())
  if (!place && (health?.vault ?? 'none') === 'none') return children
  return (
    <fieldset className="rows">
      <legend>{name}</legend>
      {place ? <PlaceFields of={place} refused={refused} onChange={onChange} /> : children}
      <label className="check">
        <input
          type="checkbox"
          checked={place !== undefined}
          onChange={(event) => onChange(event.target.checked ? NOWHERE : undefined)}
        />
        {text.providers.vault.lies}
      </label>
    </fieldset>
  )
}

interface PlaceFieldsProps {
  of: VaultPlace
  refused: string | undefined
  onChange: (place: VaultPlace) => void
}

function PlaceFields({ of, refused, onChange }: PlaceFieldsProps) {
  const { optional, providers } = useText()
  const text = providers.vault
  const line = (member: 'mount' | 'path' | 'key', error?: string) => (
    <Field label={text[member]} hint={member === 'path' ? text.pathHint : undefined} error={error}>
      {(ids) => (
        <input
          {...ids}
          className="mono"
          required
          spellCheck={false}
          autoComplete="off"
          value={of[member]}
          onChange={(event) => onChange({ ...of, [member]: event.target.value })}
        />
      )}
    </Field>
  )
  const writes = (value: string) => {
    const { value: _, ...bare } = of
    onChange(value === '' ? bare : { ...bare, value })
  }
  return (
    <>
      {line('mount')}
      {line('path', refused)}
      {line('key')}
      <Field label={text.write} hint={text.writeHint} optional={optional}>
        {(ids) => (
          <input
            {...ids}
            type="password"
            autoComplete="off"
            value={of.value ?? ''}
            onChange={(event) => writes(event.target.value)}
          />
        )}
      </Field>
    </>
  )
}
