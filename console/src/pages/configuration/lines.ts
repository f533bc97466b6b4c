/** A line of two texts, in both of them or in one. */
export interface Line {
  text: string
  in: 'both' | 'before' | 'after'
}

/** Beyond so many pairs of lines the texts are shown one after the other. */
const MOST = 1_000_000

/** How one text becomes the other, by the longest common subsequence of their lines. */
export function linesOf(before: string, after: string): Line[] {
  const old = before.split('\n')
  const next = after.split('\n')
  let start = 0
  while (start < old.length && start < next.length && old[start] === next[start]) start += 1
  let end = 0
  while (
    end < old.length - start &&
    end < next.length - start &&
    old[old.length - 1 - end] === next[next.length - 1 - end]
  )
    end += 1
  const both = (text: string): Line => ({ text, in: 'both' })
  return [
    ...old.slice(0, start).map(both),
    ...apart(old.slice(start, old.length - end), next.slice(start, next.length - end)),
    ...old.slice(old.length - end).map(both),
  ]
}

function apart(old: string[], next: string[]): Line[] {
  const gone = (text: string): Line => ({ text, in: 'before' })
  const come = (text: string): Line => ({ text, in: 'after' })
  if (old.length * next.length > MOST) return [...old.map(gone), ...next.map(come)]
  // How much two ends have in common, for each pair of places where they may begin.
  const common = Array.from({ length: old.length + 1 }, () => new Uint32Array(next.length + 1))
  const of = (at: number, other: number) => common[at]?.[other] ?? 0
  for (let at = old.length - 1; at >= 0; at -= 1)
    for (let other = next.length - 1; other >= 0; other -= 1) {
      const row = common[at]
      if (row)
        row[other] =
          old[at] === next[other] ? of(at + 1, other + 1) + 1 : Math.max(of(at + 1, other), of(at, other + 1))
    }
  const lines: Line[] = []
  let at = 0
  let other = 0
  while (at < old.length && other < next.length) {
    const line = old[at] ?? ''
    if (line === next[other]) {
      lines.push({ text: line, in: 'both' })
      at += 1
      other += 1
    } else if (of(at + 1, other) >= of(at, other + 1)) {
      lines.push(gone(line))
      at += 1
    } else {
      lines.push(come(next[other] ?? ''))
      other += 1
    }
  }
  return [...lines, ...old.slice(at).map(gone), ...next.slice(other).map(come)]
}
