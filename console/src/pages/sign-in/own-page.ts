const home = '/console/'

/** A page of this console, or the first one: what a link brings along may lead nowhere else. */
export function ownPage(wanted: string | null | undefined, origin: string): string {
  if (!wanted) return home
  try {
    const { origin: asked, pathname, search, hash } = new URL(wanted, origin)
    return asked === origin && pathname.startsWith(home) ? pathname + search + hash : home
  } catch {
    return home
  }
}
