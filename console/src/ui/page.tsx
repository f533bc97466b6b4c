import { type ReactNode, useEffect } from 'react'
import { Problem, Unreachable } from '../api/problem'
import { useText } from '../text'
import { Button } from './button'
import { CodeBlock, Copyable } from './copy'
import { Icon, type IconName } from './icon'
import { legible, Name, shown } from './name'

interface HeaderProps {
  title: string
  /** The page's name for the browser, where the title is not enough. */
  name?: string
  above?: ReactNode
  state?: ReactNode
  detail?: ReactNode
  actions?: ReactNode
}

/** The one head of a page: title, state, what it is; primary action right. */
export function PageHeader({ title, name, above, state, detail, actions }: HeaderProps) {
  useEffect(() => {
    document.title = `${legible(name ?? title)} · Safeconduct`
  }, [title, name])
  return (
    <header className="page-header">
      {above && <div className="above">{above}</div>}
      <div className="line">
        <h1>
          <Name of={title} />
        </h1>
        {state}
      </div>
      {detail && <div className="detail">{detail}</div>}
      {actions && <div className="actions">{actions}</div>}
    </header>
  )
}

/** Nothing here yet: what would be, and one command that makes it so. */
export function Empty({
  icon,
  title,
  example,
  children,
}: {
  icon: IconName
  title: string
  example?: string
  children?: ReactNode
}) {
  const text = useText()
  return (
    <div className="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      {children && <div className="muted">{children}</div>}
      {example && <CodeBlock code={example} label={text.example} />}
    </div>
  )
}

/** What went wrong, what to tell the operator, and another try. */
export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const text = useText()
  const problem = error instanceof Problem ? error : undefined
  const silent = error instanceof Unreachable
  return (
    <div className="failure" role="alert">
      <Icon name="alert" />
      <div>
        <strong>
          <Name of={silent ? text.unreachable : error instanceof Error ? error.message : String(error)} />
        </strong>
        <p>{shown(silent ? text.unreachableDetail : problem?.detail)}</p>
        {problem && problem.errors.length > 0 && (
          <ul>
            {problem.errors.map((error) => (
              <li key={error.field + error.reason}>
                {error.field && (
                  <code>
                    <Name of={error.field} />
                  </code>
                )}{' '}
                <Name of={error.reason} />
              </li>
            ))}
          </ul>
        )}
        {problem?.requestId && (
          <p className="muted">
            {text.requestId} <Copyable value={problem.requestId} />
          </p>
        )}
        {onRetry && (
          <Button onClick={onRetry} icon="run">
            {text.retry}
          </Button>
        )}
      </div>
    </div>
  )
}

/** Grey bars where text will be; told to screen readers once. */
export function Skeleton({ lines = 3 }: { lines?: number }) {
  const text = useText()
  return (
    <div className="skeleton" role="status" aria-label={text.loading}>
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the bars are all alike
        <span key={line} />
      ))}
    </div>
  )
}

/** Names and values, two columns that fold on a phone. */
export function Properties({ of }: { of: [string, ReactNode][] }) {
  return (
    <dl className="properties">
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{shown(value)}</dd>
        </div>
      ))}
    </dl>
  )
}

export function Section({
  title,
  actions,
  children,
}: {
  title: string
  actions?: ReactNode
  children: ReactNode
}) {
  return (
    <section className="section">
      <header>
        <h2>{title}</h2>
        {actions}
      </header>
      {children}
    </section>
  )
}
