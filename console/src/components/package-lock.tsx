import type { FnVersion } from '../api/types'
import { useText } from '../text'

/** What a version imports, exactly. */
export function PackageLock({ of: version }: { of: FnVersion }) {
  const text = useText()
  const lock = version.package_lock
  if (!lock) return null
  return (
    <details>
      <summary>{text.packages.lockOf(lock.packages.length)}</summary>
      <pre className="mono">{lock.text}</pre>
    </details>
  )
}
