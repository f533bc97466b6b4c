import { useNavigate } from '@tanstack/react-router'
import { type ReactNode, useRef, useState } from 'react'
import { Finder, type Found, type Kind } from '../components/finder'
import { useName } from '../hooks/names'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Icon } from '../ui/icon'
import { legible } from '../ui/name'

export interface Filter {
  name: string
  label: string
  /** The values to choose from with their words; free text without them. */
  options?: [string, string][]
  kind?: 'search' | 'date'
  /** The value is the id of one of these, which is found by its name. */
  find?: Kind[]
  /** Behind "more filters". */
  more?: boolean
}

interface FilterBarProps {
  of: Filter[]
  values: Record<string, string | undefined>
  children?: ReactNode
}

/** Filters of a list. Their values live in the address, so that a view can be kept and sent. */
export function FilterBar({ of, values, children }: FilterBarProps) {
  const text = useText()
  const navigate = useNavigate()
  // Counts up to empty the fields, which keep what is typed themselves.
  const [cleared, setCleared] = useState(0)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const put = (changes: Record<string, string | undefined>) =>
    void navigate({ to: '.', search: (all: object) => ({ ...all, ...changes }), replace: true })
  const later = (name: string, value: string) => {
    clearTimeout(timer.current)
    timer.current = setTimeout(() => put({ [name]: value || undefined }), 200)
  }
  const active = of.filter((filter) => values[filter.name])
  const clear = () => {
    clearTimeout(timer.current)
    setCleared(cleared + 1)
    put(Object.fromEntries(active.map((filter) => [filter.name, undefined])))
  }
  const control = (filter: Filter) => (
    <Control
      key={`${filter.name}:${cleared}`}
      of={filter}
      value={values[filter.name] ?? ''}
      onChange={(value, typing) =>
        typing ? later(filter.name, value) : put({ [filter.name]: value || undefined })
      }
    />
  )
  const more = of.filter((filter) => filter.more)
  return (
    <search className="filters">
      {of.filter((filter) => !filter.more).map(control)}
      {more.length > 0 && (
        <details open={more.some((filter) => values[filter.name])}>
          <summary className="button ghost">{text.moreFilters}</summary>
          <div className="filters">{more.map(control)}</div>
        </details>
      )}
      {active.length > 0 && (
        <Button look="ghost" icon="cross" onClick={clear}>
          {text.clearFilters}
        </Button>
      )}
      {children}
    </search>
  )
}

interface ControlProps {
  of: Filter
  value: string
  onChange: (value: string, typing: boolean) => void
}

function Control({ of: filter, value, onChange }: ControlProps) {
  const text = useText()
  // Half an id is none: what is not searched for counts once it was typed to its end.
  const typed = (input: HTMLInputElement) =>
    input.value.trim() !== value && onChange(input.value.trim(), false)
  if (filter.options) {
    return (
      <label className={value ? 'select chosen' : 'select'}>
        <span className="visually-hidden">{filter.label}</span>
        <select value={value} onChange={(event) => onChange(event.target.value, false)}>
          <option value="">{text.any(filter.label)}</option>
          {filter.options.map(([id, name]) => (
            <option key={id} value={id}>
              {legible(name)}
            </option>
          ))}
        </select>
        <Icon name="down" />
      </label>
    )
  }
  if (filter.find) return <Finding of={filter} kinds={filter.find} value={value} onChange={onChange} />
  if (filter.kind === 'date') {
    return (
      <label className={value ? 'date chosen' : 'date'}>
        <span className="muted">{filter.label}</span>
        <input type="date" defaultValue={value} onChange={(event) => onChange(event.target.value, false)} />
      </label>
    )
  }
  return (
    <label className={filter.kind === 'search' ? 'text search' : 'text'}>
      {filter.kind === 'search' && <Icon name="search" />}
      <span className="visually-hidden">{filter.label}</span>
      <input
        type="search"
        placeholder={filter.label}
        defaultValue={value}
        {...(filter.kind === 'search'
          ? { onInput: (event) => onChange(event.currentTarget.value.trim(), true) }
          : {
              onBlur: (event) => typed(event.currentTarget),
              onKeyDown: (event) => event.key === 'Enter' && typed(event.currentTarget),
            })}
      />
    </label>
  )
}

/** The address holds the id, the field shows the name, as far as it is known here. Half a name is no filter. */
function Finding({ of: filter, kinds, value, onChange }: ControlProps & { kinds: Kind[] }) {
  const [chosen, setChosen] = useState<Found>()
  const [left, setLeft] = useState(0)
  const known = useName(value)
  const shown = chosen?.id === value ? chosen.name : (known ?? value)
  const leave = (typed: string) => {
    if (typed === '' && value !== '') onChange('', false)
    if (typed !== shown) setLeft(left + 1)
  }
  return (
    <span className={value ? 'found chosen' : 'found'}>
      <Finder
        key={left}
        label={filter.label}
        kinds={kinds}
        placeholder={filter.label}
        initial={shown}
        onChoose={(one) => {
          if (!one) return
          setChosen(one)
          onChange(one.id, false)
        }}
        onLeave={leave}
      />
    </span>
  )
}
