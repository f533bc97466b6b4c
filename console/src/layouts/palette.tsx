import { useQueries, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react'
import { answered, api } from '../api/client'
import { useTheme } from '../hooks/theme'
import { paths, placeOf } from '../paths'
import { useText } from '../text'
import { Icon, type IconName } from '../ui/icon'
import { Name } from '../ui/name'
import { places } from './navigation'

interface Entry {
  id: string
  icon: IconName
  label: string
  hint?: string
  go: () => void
}

/** Everything by its name: places, actions, agents, functions, schedules, and whatever an id leads to. */
export function Palette({ onClose }: { onClose: () => void }) {
  const text = useText()
  const id = useId()
  const dialog = useRef<HTMLDialogElement>(null)
  const [typed, setTyped] = useState('')
  const [at, setAt] = useState(0)
  useEffect(() => {
    const opened = dialog.current
    opened?.showModal()
    return () => opened?.close()
  }, [])
  const entries = useEntries(typed.trim())
  const chosen = entries[Math.min(at, entries.length - 1)]
  const go = (entry: Entry | undefined) => {
    if (!entry) return
    onClose()
    entry.go()
  }
  const press = (event: KeyboardEvent) => {
    if (event.key === 'Enter') go(chosen)
    else if (event.key === 'ArrowDown') setAt(Math.min(at + 1, entries.length - 1))
    else if (event.key === 'ArrowUp') setAt(Math.max(at - 1, 0))
    else return
    event.preventDefault()
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape does what a click outside does
    <dialog
      ref={dialog}
      className="palette"
      aria-label={text.palette.open}
      onClose={onClose}
      onClick={(event) => event.target === event.currentTarget && onClose()}
    >
      <div className="palette-input">
        <Icon name="search" />
        <input
          role="combobox"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={chosen && `${id}-${chosen.id}`}
          aria-label={text.palette.open}
          placeholder={text.palette.hint}
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value)
            setAt(0)
          }}
          onKeyDown={press}
        />
      </div>
      <div id={`${id}-list`} role="listbox" aria-label={text.palette.open}>
        {entries.map((entry) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the input's
          // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the input, aria-activedescendant points here
          <div
            key={entry.id}
            id={`${id}-${entry.id}`}
            role="option"
            aria-selected={entry === chosen}
            ref={(element) => {
              if (entry === chosen) element?.scrollIntoView({ block: 'nearest' })
            }}
            onClick={() => go(entry)}
          >
            <Icon name={entry.icon} />
            <span className="label truncate">
              <Name of={entry.label} />
            </span>
            {entry.hint && (
              <span className="muted truncate">
                <Name of={entry.hint} />
              </span>
            )}
          </div>
        ))}
      </div>
      {entries.length === 0 && <p className="muted nothing">{text.palette.nothing}</p>}
    </dialog>
  )
}

function useEntries(typed: string): Entry[] {
  const text = useText()
  const navigate = useNavigate()
  const [, setTheme] = useTheme()
  const client = useQueryClient()
  const to =
    (path: string, search = {}) =>
    () =>
      void navigate({ to: path, search })
  const [agents, functions, schedules] = useQueries({
    queries: [found('agents', typed), found('functions', typed), found('schedules', typed)],
  })

  const fixed: Entry[] = [
    ...places.flatMap((group) =>
      group.places.map((place) => ({
        id: place.name,
        icon: place.icon,
        label: text.place[place.name],
        go: to(place.path),
      })),
    ),
    { id: 'sessions', icon: 'session', label: text.sessions.title, go: to(paths.sessions) },
    { id: 'security', icon: 'seal', label: text.security.title, go: to(paths.security) },
    { id: 'new-agent', icon: 'plus', label: text.agents.register, go: to(paths.agents, { panel: 'new' }) },
    { id: 'new-function', icon: 'plus', label: text.functions.create, go: to('/functions/new') },
    { id: 'new-schedule', icon: 'plus', label: text.schedules.create, go: to(paths.newSchedule) },
    { id: 'live', icon: 'live', label: text.audit.follow, go: to(paths.audit, { live: '1' }) },
    { id: 'light', icon: 'sun', label: text.themes.light, go: () => setTheme('light') },
    { id: 'dark', icon: 'moon', label: text.themes.dark, go: () => setTheme('dark') },
    { id: 'again', icon: 'run', label: text.palette.reload, go: () => void client.invalidateQueries() },
  ]
  const words = typed.toLowerCase()
  const matching = fixed.filter((entry) => entry.label.toLowerCase().includes(words))
  const place = placeOf(typed)
  const exact: Entry[] = place
    ? [{ id: 'exact', icon: 'arrow', label: typed, hint: text.palette.byId, go: to(place) }]
    : []
  const named = (icon: IconName, path: (id: string) => string, items: Named[] | undefined): Entry[] =>
    typed === ''
      ? []
      : (items ?? []).map((item) => ({
          id: item.id,
          icon,
          label: item.namespace === undefined ? item.name : `${item.namespace}:${item.name}`,
          go: to(path(item.id)),
        }))
  const facts: Entry[] =
    typed === '' || place
      ? []
      : [{ id: 'facts', icon: 'audit', label: text.palette.facts(typed), go: to(paths.audit, { q: typed }) }]
  return [
    ...exact,
    ...matching,
    ...named('agent', paths.agent, agents.data),
    ...named('function', paths.fn, functions.data),
    ...named('clock', paths.schedule, schedules.data),
    ...facts,
  ]
}

interface Named {
  id: string
  namespace?: string
  name: string
}

function found(kind: 'agents' | 'functions' | 'schedules', q: string) {
  return {
    queryKey: ['palette', kind, q],
    queryFn: async (): Promise<Named[]> =>
      (await answered(api.GET(`/api/v1/${kind}`, { params: { query: { q, limit: 5 } } }))).items,
    enabled: q !== '',
    staleTime: 30_000,
  }
}
