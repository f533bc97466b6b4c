/** What stands in `${…}` of a document: names of variables and of files; `$${` is no name. */
export function namesIn(document: string): { variables: string[]; files: string[] } {
  const names = [...document.matchAll(/(?<!\$)\$\{(?:([A-Z0-9_]+)|file:([^}\n]+))\}/g)]
  const distinct = (group: number) =>
    [...new Set(names.map((match) => match[group]))].filter((name) => name !== undefined)
  return { variables: distinct(1), files: distinct(2) }
}

/** Those of the values that the document names. */
export function named(values: Record<string, string>, names: string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (name in values ? [[name, values[name] ?? '']] : [])))
}
