import { Link } from '@tanstack/react-router'

export interface Tab {
  id: string
  label: string
  count?: number | undefined
}

/** Places within a page; each has its own address (`?tab=`). On a phone they take more than one line, so that all are seen. */
export function Tabs({ of, current, label }: { of: Tab[]; current: string; label: string }) {
  return (
    <nav className="tabs" aria-label={label}>
      {of.map((tab) => (
        <Link
          key={tab.id}
          to="."
          search={{ tab: tab.id }}
          replace
          aria-current={tab.id === current ? 'page' : undefined}
        >
          {tab.label}
          {tab.count !== undefined && <span className="count">{tab.count}</span>}
        </Link>
      ))}
    </nav>
  )
}
