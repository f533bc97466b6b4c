import { useText } from '../../text'
import { Field } from '../../ui/form'
import { Section } from '../../ui/page'

export interface Values {
  variables: Record<string, string>
  files: Record<string, string>
}

interface NamesProps {
  names: { variables: string[]; files: string[] }
  values: Values
  onChange: (values: Values) => void
}

/** A field for each name of the document; nothing of it is kept. */
export function NamesOf({ names, values, onChange }: NamesProps) {
  const text = useText()
  if (names.variables.length + names.files.length === 0) return null
  const variable = (name: string, value: string) =>
    onChange({ ...values, variables: { ...values.variables, [name]: value } })
  const file = async (path: string, chosen: File | undefined) => {
    if (!chosen) return
    const contents = await chosen.text()
    onChange({ ...values, files: { ...values.files, [path]: contents } })
  }
  return (
    <Section title={text.config.names}>
      <p className="muted">{text.config.namesHint}</p>
      {names.variables.map((name) => (
        <Field key={name} label={name}>
          {(ids) => (
            <input
              {...ids}
              className="mono"
              type="password"
              autoComplete="off"
              value={values.variables[name] ?? ''}
              onChange={(event) => variable(name, event.target.value)}
            />
          )}
        </Field>
      ))}
      {names.files.map((path) => (
        <Field
          key={path}
          label={text.config.fileFor(path)}
          hint={path in values.files ? text.config.read(path) : undefined}
        >
          {(ids) => (
            <input {...ids} type="file" onChange={(event) => void file(path, event.target.files?.[0])} />
          )}
        </Field>
      ))}
    </Section>
  )
}
