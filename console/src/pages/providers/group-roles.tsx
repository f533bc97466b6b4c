import { useInfiniteQuery } from '@tanstack/react-query'
import { useRef } from 'react'
import type { Problem } from '../../api/problem'
import { queries } from '../../api/queries'
import type { GroupRole } from '../../forms/provider-draft'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { legible, Name } from '../../ui/name'

/** Kinds whose people come from no directory, so from no group of one. */
const alone = ['otp', 'password', 'passkey']

interface GroupRolesProps {
  kind: string
  of: GroupRole[]
  refused: Problem | undefined
  onChange: (rows: GroupRole[]) => void
}

/** Roles that follow the groups of the provider's directory: a row for each group and role. */
export function GroupRoles({ kind, of: rows, refused, onChange }: GroupRolesProps) {
  const text = useText()
  const box = useRef<HTMLFieldSetElement>(null)
  const roles = useFollowing()
  if (alone.includes(kind) && rows.length === 0) return null
  const put = (at: number, changes: Partial<GroupRole>) =>
    onChange(rows.map((row, index) => (index === at ? { ...row, ...changes } : row)))
  const add = () => {
    onChange([...rows, { group: '', role: roles.includes('member') ? 'member' : (roles[0] ?? '') }])
    // The row stands once this press was answered.
    setTimeout(() => [...(box.current?.querySelectorAll<HTMLInputElement>('li input') ?? [])].at(-1)?.focus())
  }
  const remove = (at: number) => {
    onChange(rows.filter((_, index) => index !== at))
    // What was pressed is gone; the focus stays in the list.
    box.current?.querySelector<HTMLButtonElement>('button[data-add]')?.focus()
  }
  return (
    <fieldset className="rows" ref={box}>
      <legend>{text.providers.groupRoles}</legend>
      <p className="muted">{text.providers.groupRolesHint}</p>
      {rows.length > 0 && (
        <ul>
          {rows.map((row, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows are only known by their place, and two may be alike
            <li key={at}>
              <input
                className="mono"
                aria-label={text.providers.groupAt(at + 1)}
                placeholder={text.providers.groupExample}
                value={row.group}
                required
                spellCheck={false}
                onChange={(event) => put(at, { group: event.target.value })}
              />
              <select
                aria-label={text.providers.roleAt(at + 1)}
                value={row.role}
                onChange={(event) => put(at, { role: event.target.value })}
              >
                {[...new Set([...roles, row.role])].map((role) => (
                  <option key={role} value={role}>
                    {legible(role)}
                  </option>
                ))}
              </select>
              <Button look="ghost" icon="cross" compact onClick={() => remove(at)}>
                {text.providers.removeRow(row.group || String(at + 1))}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {refused?.of('group_roles') && (
        <p className="wrong">
          <Name of={refused.of('group_roles') ?? ''} />
        </p>
      )}
      <div>
        <Button data-add icon="plus" onClick={add}>
          {text.providers.addRow}
        </Button>
      </div>
    </fieldset>
  )
}

/** What a directory may give: built-in roles, but it makes nobody an owner. */
function useFollowing(): string[] {
  const listed = useInfiniteQuery(queries.roles()).data?.pages.flatMap((page) => page.items) ?? []
  return listed.filter((role) => role.built_in && role.name !== 'owner').map((role) => role.name)
}
