import type { ReachingAgent } from '../../api/types'
import { useText } from '../../text'
import { legible } from '../../ui/name'

const ROW = 36
const WIDTH = 900
/** Where the three columns begin, and how wide their boxes are. */
const columns = [
  [0, 220],
  [330, 260],
  [690, 210],
] as const
/** More than this nobody reads in a picture; the table has all. */
const MOST = 40

/** How the lines are drawn that the legend explains. */
const strokes = { all: 'all', some: 'own', idle: 'idle' }

interface Node {
  id: string
  label: string
  row: number
}

/** Agents on the left, the grants that hold it in the middle, the permission on the right; a line for each "by". */
export function AccessGraph({ permission, of }: { permission: string; of: ReachingAgent[] }) {
  const text = useText()
  const shown = of.slice(0, MOST)
  const agents: Node[] = shown.map(({ agent, path }, row) => ({
    id: agent,
    label: path.replace('/', ':'),
    row,
  }))
  const names = [...new Set(shown.flatMap(({ grants }) => grants))]
  const rows = Math.max(agents.length, names.length)
  const grants: Node[] = names.map((name, at) => ({
    id: name,
    label: name,
    row: spread(at, names.length, rows),
  }))
  const agentRows = agents.map((node, at) => ({ ...node, row: spread(at, agents.length, rows) }))
  const middle = (rows - 1) / 2
  const height = rows * ROW
  return (
    <figure className="graph">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div tabIndex={0} role="region" aria-label={text.reach.picture}>
        <svg
          viewBox={`0 0 ${WIDTH} ${height}`}
          role="img"
          aria-label={text.reach.pictureOf(of.length, permission)}
        >
          {shown.flatMap((agent, at) =>
            agent.grants.map((grant) => {
              const from = agentRows[at]?.row ?? 0
              const to = grants.find(({ id }) => id === grant)?.row ?? 0
              return (
                <path
                  key={agent.agent + grant}
                  className={agent.active ? `edge ${agent.reach}` : 'edge idle'}
                  d={curve(edgeOf(0), from, columns[1][0], to)}
                />
              )
            }),
          )}
          {grants.map(({ id, row }) => (
            <path key={id} className="edge" d={curve(edgeOf(1), row, columns[2][0], middle)} />
          ))}
          {agentRows.map((node, at) => (
            <Box key={node.id} column={0} {...node} kind={shown[at]?.active ? 'agent' : 'agent idle'} />
          ))}
          {grants.map((node) => (
            <Box key={node.id} column={1} {...node} kind="grant" />
          ))}
          <Box column={2} label={permission} row={middle} kind="wanted" />
        </svg>
      </div>
      <figcaption className="muted">
        <p>
          {text.reach.legend}
          {of.length > MOST && ` ${text.reach.cut(MOST, of.length)}`}
        </p>
        <ul>
          {(['all', 'some', 'idle'] as const).map((mark) => (
            <li key={mark}>
              <svg viewBox="0 0 32 8" aria-hidden="true">
                <path className={`edge ${strokes[mark]}`} d="M0 4H32" />
              </svg>
              {text.reach.marks[mark]}
            </li>
          ))}
        </ul>
      </figcaption>
    </figure>
  )
}

/** Evenly over as many rows as the longer column has. */
function spread(at: number, count: number, rows: number): number {
  return count === 1 ? (rows - 1) / 2 : (at * (rows - 1)) / (count - 1)
}

function edgeOf(column: 0 | 1): number {
  return columns[column][0] + columns[column][1]
}

function curve(x: number, row: number, toX: number, toRow: number): string {
  const [y, toY, bend] = [(row + 0.5) * ROW, (toRow + 0.5) * ROW, (x + toX) / 2]
  return `M${x} ${y}C${bend} ${y} ${bend} ${toY} ${toX} ${toY}`
}

function Box({ column, label, row, kind }: { column: 0 | 1 | 2; label: string; row: number; kind: string }) {
  const [x, width] = columns[column]
  const y = row * ROW + 4
  const shown = legible(label)
  const most = Math.floor((width - 16) / 7.3)
  return (
    <g className={`box ${kind}`}>
      <title>{legible(label)}</title>
      <rect x={x + 1} y={y} width={width - 2} height={ROW - 8} rx={6} />
      <text x={x + 10} y={y + (ROW - 8) / 2} dominantBaseline="central">
        {shown.length > most ? `${shown.slice(0, most - 1)}…` : shown}
      </text>
    </g>
  )
}
