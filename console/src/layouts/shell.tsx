import { useQuery } from '@tanstack/react-query'
import { Link, Outlet } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useState } from 'react'
import { queries } from '../api/queries'
import { useNobody } from '../hooks/nobody'
import { paths } from '../paths'
import { useText } from '../text'
import { Dialog } from '../ui/dialog'
import { Icon, Mark } from '../ui/icon'
import { Failure, Skeleton } from '../ui/page'
import { Account } from './account'
import { Navigation } from './navigation'
import { Preferences } from './preferences'
import { SignedOut } from './signed-out'
import { StepUp } from './step-up'
import { Switcher } from './switcher'

const Palette = lazy(async () => ({ default: (await import('./palette')).Palette }))

/** Top bar, places and the page. Whoever is not signed in sees how to get in, at the address they asked for. */
export function Shell() {
  const text = useText()
  const me = useQuery(queries.me())
  const nobody = useNobody(me)
  const [open, setOpen] = useState<'palette' | 'places' | undefined>()
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key !== 'k' || !(event.ctrlKey || event.metaKey)) return
      event.preventDefault()
      setOpen((was) => (was === 'palette' ? undefined : 'palette'))
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
  if (nobody) return <SignedOut />
  return (
    <div className="shell">
      <button type="button" className="skip" onClick={() => document.getElementById('page')?.focus()}>
        {text.skip}
      </button>
      <header className="top-bar">
        <button
          type="button"
          className="button ghost compact places-button"
          onClick={() => setOpen('places')}
        >
          <Icon name="menu" />
          <span className="visually-hidden">{text.places}</span>
        </button>
        <Link to={paths.home} className="brand">
          <Mark /> <span>Safeconduct</span>
        </Link>
        {me.data && <Switcher me={me.data} />}
        <button type="button" className="palette-button" onClick={() => setOpen('palette')}>
          <Icon name="search" />
          <span className="label">{text.palette.open}</span>
          <kbd aria-hidden="true">{/Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘K' : 'Ctrl K'}</kbd>
        </button>
        <Preferences />
        {me.data && <Account me={me.data} />}
      </header>
      <div className="sidebar">
        <Navigation />
      </div>
      <main id="page" tabIndex={-1}>
        {me.isPending ? (
          <Skeleton lines={6} />
        ) : me.data ? (
          <Outlet />
        ) : (
          <Failure error={me.error} onRetry={() => void me.refetch()} />
        )}
      </main>
      {open === 'places' && (
        <Dialog title={text.places} kind="side" onClose={() => setOpen(undefined)}>
          <Navigation onChosen={() => setOpen(undefined)} />
        </Dialog>
      )}
      {open === 'palette' && (
        <Suspense>
          <Palette onClose={() => setOpen(undefined)} />
        </Suspense>
      )}
      <StepUp />
    </div>
  )
}
