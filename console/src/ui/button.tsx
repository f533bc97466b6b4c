import { type ComponentProps, type MouseEvent, useId } from 'react'
import { Icon, type IconName } from './icon'
import { legible, shown } from './name'

export interface ButtonProps extends Omit<ComponentProps<'button'>, 'disabled'> {
  look?: 'primary' | 'plain' | 'ghost' | 'danger'
  icon?: IconName | undefined
  /** Only the icon is seen; the children are its name. */
  compact?: boolean
  busy?: boolean
  /** Why it can't be pressed now. The button stays reachable, so that the reason is too. */
  reason?: string | undefined
}

export function Button({
  look = 'plain',
  icon,
  compact,
  busy,
  reason,
  children,
  onClick,
  type,
  ...rest
}: ButtonProps) {
  const id = useId()
  const blocked = busy || reason !== undefined
  const press = (event: MouseEvent<HTMLButtonElement>) => {
    if (blocked) event.preventDefault()
    else onClick?.(event)
  }
  return (
    <>
      <button
        {...rest}
        type={type ?? 'button'}
        className={`button ${look}${compact ? ' compact' : ''}`}
        aria-disabled={blocked || undefined}
        aria-busy={busy || undefined}
        aria-describedby={reason ? id : rest['aria-describedby']}
        data-tip={reason ?? (compact ? children : undefined)}
        {...(rest['aria-label'] !== undefined && { 'aria-label': legible(rest['aria-label']) })}
        onClick={press}
      >
        {icon && <Icon name={icon} />}
        <span className={compact ? 'visually-hidden' : 'label'}>{shown(children)}</span>
      </button>
      {reason && (
        <span id={id} className="visually-hidden">
          {reason}
        </span>
      )}
    </>
  )
}
