import { useText } from '../text'
import { Field } from '../ui/form'
import {
  isOpen,
  type Property,
  placed,
  placeOf,
  type Schema,
  settingsOf,
  type Typed,
  WHOLE,
} from './settings'
import { VaultToggle } from './vault'

interface SchemaFieldsProps {
  schema: Schema
  typed: Typed
  refused: (name: string) => string | undefined
  /** What a secret that is left empty comes to, where there may be one already. */
  kept?: string
  onChange: (typed: Typed) => void
}

/** A field for each setting that the schema names. */
export function SchemaFields({ schema, typed, refused, kept, onChange }: SchemaFieldsProps) {
  const text = useText()
  const set = (name: string) => (value: string) => onChange({ ...typed, [name]: value })
  if (isOpen(schema)) {
    return (
      <Field
        label={text.providers.settings}
        hint={text.providers.settingsHint}
        error={settingsOf(schema, typed) === undefined ? text.notJsonObject : undefined}
      >
        {(ids) => (
          <textarea
            {...ids}
            className="mono"
            rows={8}
            value={typed[WHOLE] ?? ''}
            placeholder="{}"
            spellCheck={false}
            onChange={(event) => set(WHOLE)(event.target.value)}
          />
        )}
      </Field>
    )
  }
  const needed = (name: string) => schema.required?.includes(name) ?? false
  // What has to be filled in comes first; the schema itself goes by the alphabet.
  const all = Object.entries(schema.properties ?? {}).sort(
    ([one], [other]) => Number(needed(other)) - Number(needed(one)),
  )
  return all.map(([name, property]) => {
    const isNeeded = needed(name)
    const place = placeOf(typed, name)
    const field = (
      <Field
        key={name}
        label={property.title ?? titled(name)}
        hint={
          property.writeOnly && kept
            ? [property.description, kept].filter(Boolean).join(' ')
            : property.description
        }
        error={refused(name)}
        {...(!isNeeded && { optional: text.optional })}
      >
        {(ids) => (
          <Control
            {...ids}
            required={isNeeded}
            of={property}
            value={typed[name] ?? ''}
            onChange={set(name)}
          />
        )}
      </Field>
    )
    if (!property.writeOnly) return field
    return (
      <VaultToggle
        key={name}
        name={property.title ?? titled(name)}
        place={place}
        refused={refused(name)}
        onChange={(place) => onChange(placed(typed, name, place))}
      >
        {field}
      </VaultToggle>
    )
  })
}

/** `client_id` as a label: “Client id”. */
function titled(name: string): string {
  const words = name.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

interface ControlProps {
  id: string
  'aria-describedby': string | undefined
  'aria-invalid': boolean | undefined
  required: boolean
  of: Property
  value: string
  onChange: (value: string) => void
}

function Control({ of, value, onChange, ...rest }: ControlProps) {
  const options = of.enum ?? (of.type === 'boolean' ? ['true', 'false'] : undefined)
  const change = (event: { target: { value: string } }) => onChange(event.target.value)
  if (options) {
    return (
      <select {...rest} value={value} onChange={change}>
        <option value="">{of.default === undefined ? '–' : `– (${String(of.default)})`}</option>
        {options.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    )
  }
  // A certificate has lines; a field of one line would join them.
  if (of.type === 'array' || of.type === 'object' || (of.maxLength ?? 0) > 10_000)
    return <textarea {...rest} className="mono" rows={3} value={value} spellCheck={false} onChange={change} />
  return (
    <input
      {...rest}
      type={of.writeOnly ? 'password' : of.type === 'integer' || of.type === 'number' ? 'number' : 'text'}
      autoComplete="off"
      spellCheck={false}
      placeholder={of.default === undefined ? undefined : String(of.default)}
      value={value}
      onChange={change}
    />
  )
}
