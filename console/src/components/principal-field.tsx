import { useQueries } from '@tanstack/react-query'
import { type KeyboardEvent, useId, useState } from 'react'
import { answered, api } from '../api/client'
import { useText } from '../text'
import { Field } from '../ui/form'
import { Icon, type IconName } from '../ui/icon'
import { Name } from '../ui/name'

type Kind = 'user' | 'agent' | 'group'

export interface Principal {
  kind: Kind
  id: string
  name: string
  /** What tells those of one name apart. */
  hint: string
}

const icons: Record<Kind, IconName> = { user: 'user', agent: 'agent', group: 'users' }
const prefixes: Record<string, Kind> = { usr: 'user', agt: 'agent', grp: 'group' }

interface PrincipalFieldProps {
  label: string
  kinds: Kind[]
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
  const list = useId()
  const [typed, setTyped] = useState('')
  const [open, setOpen] = useState(false)
  const [at, setAt] = useState(0)
  const found = useFound(kinds, open ? typed.trim() : '')
  const here = found[Math.min(at, found.length - 1)]
  const choose = (principal: Principal | undefined) => {
    if (!principal) return
    setOpen(false)
    setTyped(principal.name)
    onChoose(principal)
  }
  const press = (event: KeyboardEvent) => {
    if (!open || found.length === 0) return
    if (event.key === 'Enter') choose(here)
    else if (event.key === 'ArrowDown') setAt(Math.min(at + 1, found.length - 1))
    else if (event.key === 'ArrowUp') setAt(Math.max(at - 1, 0))
    else if (event.key === 'Escape') setOpen(false)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  const said = chosen ? `${text.kinds[chosen.kind]} ${chosen.id}` : hint
  return (
    <Field label={label} {...(said && { hint: said })} {...(optional && { optional })} error={error}>
      {(ids) => (
        <div className="combobox">
          <input
            {...ids}
            role="combobox"
            aria-expanded={open && found.length > 0}
            aria-controls={list}
            aria-activedescendant={open && here ? `${list}-${here.id}` : undefined}
            autoComplete="off"
            spellCheck={false}
            placeholder={text.access.find}
            value={typed}
            onChange={(event) => {
              setTyped(event.target.value)
              setOpen(true)
              setAt(0)
              onChoose(undefined)
            }}
            onKeyDown={press}
            onBlur={() => setOpen(false)}
          />
          <div id={list} role="listbox" aria-label={label} hidden={!open || found.length === 0}>
            {found.map((principal) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the input's
              // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the input, aria-activedescendant points here
              <div
                key={principal.id}
                id={`${list}-${principal.id}`}
                role="option"
                aria-selected={principal === here}
                // The input keeps the focus, so that leaving it does not close the list under the pointer.
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => choose(principal)}
              >
                <Icon name={icons[principal.kind]} />
                <span className="label truncate">
                  <Name of={principal.name} />
                </span>
                <span className="muted truncate">
                  <Name of={principal.hint} />
                </span>
              </div>
            ))}
          </div>
        </div>
      )}
    </Field>
  )
}

/** A few of each kind that match; an id that was typed whole stands for itself. */
function useFound(kinds: Kind[], q: string): Principal[] {
  const answers = useQueries({
    queries: kinds.map((kind) => ({
      queryKey: ['principals', kind, q],
      queryFn: () => readers[kind](q),
      enabled: q !== '',
      staleTime: 30_000,
      retry: false,
    })),
  })
  const named = answers.flatMap((answer) => answer.data ?? [])
  const prefix = /^([a-z]+)_[0-7][0-9a-hjkmnp-tv-z]{25}$/.exec(q)?.[1]
  const kind = prefix === undefined ? undefined : prefixes[prefix]
  if (!kind || !kinds.includes(kind) || named.some(({ id }) => id === q)) return named
  return [{ kind, id: q, name: q, hint: '' }, ...named]
}

const readers: Record<Kind, (q: string) => Promise<Principal[]>> = {
  user: async (q) =>
    (await answered(api.GET('/api/v1/members', { params: { query: { q, limit: 5 } } }))).items.map(
      (member) => ({ kind: 'user', id: member.user, name: member.display_name, hint: member.email ?? '' }),
    ),
  agent: async (q) =>
    (await answered(api.GET('/api/v1/agents', { params: { query: { q, limit: 5 } } }))).items.map(
      (agent) => ({
        kind: 'agent',
        id: agent.id,
        name: `${agent.namespace}:${agent.name}`,
        hint: agent.display_name,
      }),
    ),
  group: async (q) =>
    (await answered(api.GET('/api/v1/groups', { params: { query: { q, limit: 5 } } }))).items.map(
      (group) => ({ kind: 'group', id: group.id, name: group.name, hint: group.description }),
    ),
}
