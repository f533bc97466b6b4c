import { useSyncExternalStore } from 'react'

/** A choice kept in the browser. Only how the console looks may live here; never anything of the server's. */
export function remembered<T extends string>(key: 'theme' | 'language', words: readonly T[], other: T) {
  const listeners = new Set<() => void>()
  const read = (): T => {
    try {
      const word = localStorage.getItem(key)
      return words.find((known) => known === word) ?? other
    } catch {
      return other
    }
  }
  let value = read()
  return {
    use: () =>
      useSyncExternalStore(
        (listener) => {
          listeners.add(listener)
          return () => listeners.delete(listener)
        },
        () => value,
      ),
    set(next: T) {
      value = next
      try {
        localStorage.setItem(key, next)
      } catch {
        // Storage is denied; the choice holds until the page is left.
      }
      for (const listener of listeners) listener()
    },
  }
}
