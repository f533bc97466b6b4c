/**
 * Permissions as the editor shows them: a line for each object and reach, with the actions that are ticked. Only their
 * form is read here; what they mean is the server's to say.
 */

export interface Line {
  resource: string
  /** Left empty: every object. */
  selector: string
  /** Left empty: as far as whoever holds it goes. */
  reach: string
  actions: string[]
}

export function linesOf(permissions: string[]): Line[] {
  const lines: Line[] = []
  for (const permission of permissions) {
    const [object = '', action = '', reach = ''] = permission.split(':')
    const slash = object.indexOf('/')
    const [resource, selector] = slash < 0 ? [object, ''] : [object.slice(0, slash), object.slice(slash + 1)]
    const line = lines.find(
      (known) => known.resource === resource && known.selector === selector && known.reach === reach,
    )
    if (line) line.actions.push(action)
    else lines.push({ resource, selector, reach, actions: [action] })
  }
  return lines
}

export function permissionsOf(lines: Line[]): string[] {
  const written = lines.flatMap(({ resource, selector, reach, actions }) =>
    actions.map((action) =>
      [selector.trim() ? `${resource}/${selector.trim()}` : resource, action, reach]
        .filter((part) => part !== '')
        .join(':'),
    ),
  )
  return [...new Set(written)]
}
