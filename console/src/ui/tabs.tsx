import { Link } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'

export interface Tab {
  id: string
  label: string
  count?: number | undefined
}

/** Places within a page; each has its own address (`?tab=`). */
export function Tabs({ of, current, label }: { of: Tab[]; current: string; label: string }) {
  const bar = useRef<HTMLElement>(null)
  // On a phone the bar is longer than the screen; where one is, is seen.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another tab is another place in the bar
  useEffect(() => {
    const here = bar.current?.querySelector<HTMLElement>('[aria-current]')
    if (bar.current && here)
      bar.current.scrollLeft = here.offsetLeft + here.offsetWidth - bar.current.clientWidth
  }, [current])
  return (
    <nav className="tabs" aria-label={label} ref={bar}>
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
