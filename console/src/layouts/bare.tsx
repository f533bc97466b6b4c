import type { ReactNode } from 'react'
import { Mark } from '../ui/icon'
import { Preferences } from './preferences'

/** A single card in the middle: what is shown before somebody signed in. */
export function Bare({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="bare">
      <main>
        <p className="brand">
          <Mark /> Safeconduct
        </p>
        <h1>{title}</h1>
        {children}
      </main>
      <footer>
        <Preferences />
      </footer>
    </div>
  )
}
