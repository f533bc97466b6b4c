import { useInfiniteQuery } from '@tanstack/react-query'
import { queries } from '../api/queries'
import { Name } from '../ui/name'

interface RoleChoicesProps {
  legend: string
  chosen: string[]
  onChange: (roles: string[]) => void
  error?: string | undefined
}

/** A box for each role that there is; whoever may not list them sees those that are chosen. */
export function RoleChoices({ legend, chosen, onChange, error }: RoleChoicesProps) {
  const listed = useInfiniteQuery(queries.roles()).data?.pages.flatMap((page) => page.items) ?? []
  const unlisted = chosen.filter((name) => !listed.some((role) => role.name === name))
  const all = [...listed, ...unlisted.map((name) => ({ name, description: '' }))]
  const toggle = (name: string) =>
    onChange(chosen.includes(name) ? chosen.filter((other) => other !== name) : [...chosen, name])
  return (
    <fieldset className="choices">
      <legend>{legend}</legend>
      {all.map((role) => (
        <label key={role.name}>
          <input type="checkbox" checked={chosen.includes(role.name)} onChange={() => toggle(role.name)} />
          <span>
            <Name of={role.name} />
            <small className="muted">
              <Name of={role.description} />
            </small>
          </span>
        </label>
      ))}
      {error && <p className="wrong">{error}</p>}
    </fieldset>
  )
}
