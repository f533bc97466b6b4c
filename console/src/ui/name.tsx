import type { ReactNode } from 'react'
import { legible, pieces } from './legible'

interface NameProps {
  of: string
  /** `lines` for texts that keep their ends of line and tabs. */
  as?: 'name' | 'lines'
}

/**
 * Whatever others called something or wrote, shown so that it cannot pose as something else: what would be invisible is
 * visible, and its direction ends where it ends. Every name on a page goes through here, every attribute through `legible`.
 */
export function Name({ of, as = 'name' }: NameProps) {
  const shown = pieces(of, as)
  return (
    <bdi>
      {shown.map((piece, at) =>
        piece.hidden ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no name but their place
          <span key={at} className="hidden-character">
            {piece.text}
          </span>
        ) : (
          piece.text
        ),
      )}
    </bdi>
  )
}

/** What stands where texts and elements both may: texts as names are shown, the rest as it is. */
export function shown(of: ReactNode): ReactNode {
  return typeof of === 'string' && of !== '' ? <Name of={of} /> : of
}

export { legible }
