import { useQueries } from '@tanstack/react-query'
import { type ComponentProps, type KeyboardEvent, useId, useRef, useState } from 'react'
import { answered, api } from '../api/client'
import { useText } from '../text'
import { Icon, type IconName } from '../ui/icon'
import { Name } from '../ui/name'

/** `id` is whatever was typed, taken for the id of something that has no name here. */
export type Kind = 'user' | 'agent' | 'group' | 'function' | 'id'

/** Something with a name, found by it. */
export interface Found {
  kind: Kind
  id: string
  name: string
  /** What tells those of one name apart. */
  hint: string
}

const icons: Record<Kind, IconName> = {
  user: 'user',
  agent: 'agent',
  group: 'users',
  function: 'function',
  id: 'search',
}
const prefixes: Record<string, Kind> = { usr: 'user', agt: 'agent', grp: 'group', fn: 'function' }

interface FinderProps extends Pick<ComponentProps<'input'>, 'id' | 'aria-describedby' | 'aria-invalid'> {
  label: string
  kinds: Kind[]
  placeholder: string
  /** What stands in the field until something is typed. */
  initial?: string
  /** Undefined as soon as something else is typed. */
  onChoose: (found: Found | undefined) => void
  /** The field was left with this in it. */
  onLeave?: (typed: string) => void
}

/** A field that finds things of these kinds by name, or takes an id that is typed whole. */
export function Finder({ label, kinds, placeholder, initial = '', onChoose, onLeave, ...ids }: FinderProps) {
  const text = useText()
  const list = useId()
  const field = useRef<HTMLInputElement>(null)
  const [own, setOwn] = useState<string>()
  const typed = own ?? initial
  const [open, setOpen] = useState(false)
  const [at, setAt] = useState(0)
  const found = useFound(kinds, open ? typed.trim() : '')
  const here = found[Math.min(at, found.length - 1)]
  const choose = (one: Found | undefined) => {
    if (!one) return
    setOpen(false)
    setOwn(one.name)
    field.current?.setCustomValidity('')
    onChoose(one)
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
  return (
    <div className="combobox">
      <input
        {...ids}
        ref={field}
        role="combobox"
        aria-label={ids.id === undefined ? label : undefined}
        aria-expanded={open && found.length > 0}
        aria-controls={list}
        aria-activedescendant={open && here ? `${list}-${here.id}` : undefined}
        autoComplete="off"
        spellCheck={false}
        placeholder={placeholder}
        value={typed}
        onChange={(event) => {
          setOwn(event.target.value)
          setOpen(true)
          setAt(0)
          onChoose(undefined)
          // A form is not sent with half a name in it, as if nobody had been meant.
          event.target.setCustomValidity(event.target.value.trim() === '' ? '' : text.access.notChosen)
        }}
        onKeyDown={press}
        onBlur={() => {
          setOpen(false)
          onLeave?.(typed.trim())
        }}
      />
      <div id={list} role="listbox" aria-label={label} hidden={!open || found.length === 0}>
        {found.map((one) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the input's
          // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the input, aria-activedescendant points here
          <div
            key={one.id}
            id={`${list}-${one.id}`}
            role="option"
            aria-selected={one === here}
            // The input keeps the focus, so that leaving it does not close the list under the pointer.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => choose(one)}
          >
            <Icon name={icons[one.kind]} />
            <span className="label truncate">
              <Name of={one.name} />
            </span>
            <span className="muted truncate">
              <Name of={one.kind === 'id' ? text.kinds.id : one.hint} />
            </span>
          </div>
        ))}
      </div>
    </div>
  )
}

/** A few of each kind that match; an id that was typed whole stands for itself. */
function useFound(kinds: Kind[], q: string): Found[] {
  const answers = useQueries({
    queries: kinds.map((kind) => ({
      queryKey: ['found', kind, q],
      queryFn: () => readers[kind](q),
      enabled: q !== '',
      staleTime: 30_000,
      retry: false,
    })),
  })
  const named = answers.flatMap((answer) => answer.data ?? [])
  const prefix = /^([a-z]+)_[0-7][0-9a-hjkmnp-tv-z]{25}$/.exec(q)?.[1]
  const kind = prefix === undefined ? undefined : prefixes[prefix]
  if (!kind || !kinds.includes(kind) || named.some(({ id, kind }) => id === q && kind !== 'id')) return named
  return [{ kind, id: q, name: q, hint: '' }, ...named.filter(({ id }) => id !== q)]
}

/** The server looks for a name or a namespace, people also type both as they are written: `ops:report`. */
function byName(q: string): { q: string; limit: number } {
  const [namespace = '', name = ''] = q.split(':')
  return q.includes(':') ? { q: name.trim() || namespace.trim(), limit: 50 } : { q, limit: 5 }
}

const readers: Record<Kind, (q: string) => Promise<Found[]>> = {
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
  function: async (q) =>
    (await answered(api.GET('/api/v1/functions', { params: { query: byName(q) } }))).items
      .map((fn) => ({
        kind: 'function' as const,
        id: fn.id,
        name: `${fn.namespace}:${fn.name}`,
        hint: fn.description,
      }))
      .filter(
        ({ name, hint }) => !q.includes(':') || `${name} ${hint}`.toLowerCase().includes(q.toLowerCase()),
      )
      .slice(0, 5),
  id: async (q) => [{ kind: 'id', id: q, name: q, hint: '' }],
}
