import { type KeyboardEvent, type ReactNode, useId, useRef } from 'react'
import { Icon, type IconName } from './icon'
import { legible, shown } from './name'

interface MenuProps {
  label: string
  /** What stands on the button; the label alone is read otherwise. */
  trigger: ReactNode
  onOpen?: () => void
  children: ReactNode
}

/** A button with a menu under it: the browser's popover, arrow keys between the items. */
export function Menu({ label, trigger, onOpen, children }: MenuProps) {
  const id = useId()
  const list = useRef<HTMLDivElement>(null)
  const items = () => [...(list.current?.querySelectorAll<HTMLElement>('[role^="menuitem"]') ?? [])]
  const move = (event: KeyboardEvent) => {
    const all = items()
    const at = all.indexOf(document.activeElement as HTMLElement)
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key]
    if (to === undefined) return
    event.preventDefault()
    all.at(to % all.length)?.focus()
  }
  return (
    <span className="menu">
      <button
        type="button"
        className="button ghost menu-button"
        aria-haspopup="menu"
        aria-label={legible(label)}
        popoverTarget={id}
      >
        {trigger}
      </button>
      <div
        ref={list}
        id={id}
        popover="auto"
        role="menu"
        aria-label={legible(label)}
        tabIndex={-1}
        onKeyDown={move}
        onToggle={(event) => {
          if (event.newState !== 'open') return
          onOpen?.()
          items()[0]?.focus()
        }}
        onClick={(event) => {
          if ((event.target as Element).closest('[role^="menuitem"]')) list.current?.hidePopover()
        }}
      >
        {children}
      </div>
    </span>
  )
}

interface ItemProps {
  icon?: IconName
  onSelect: () => void
  /** Given for one choice of several. */
  checked?: boolean
  danger?: boolean
  reason?: string | undefined
  children: ReactNode
}

export function MenuItem({ icon, onSelect, checked, danger, reason, children }: ItemProps) {
  return (
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: checked is given for a menuitemradio only
    <button
      type="button"
      role={checked === undefined ? 'menuitem' : 'menuitemradio'}
      aria-checked={checked}
      aria-disabled={reason !== undefined || undefined}
      className={danger ? 'danger' : undefined}
      tabIndex={-1}
      onClick={() => reason === undefined && onSelect()}
    >
      {icon && <Icon name={icon} />}
      <span className="label">
        {shown(children)}
        {reason && <small className="muted">{reason}</small>}
      </span>
      {checked && <Icon name="check" />}
    </button>
  )
}
