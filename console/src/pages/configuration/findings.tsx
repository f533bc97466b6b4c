import type { ConfigFinding } from '../../api/types'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Name } from '../../ui/name'
import { Section } from '../../ui/page'

interface FindingsProps {
  of: ConfigFinding[]
  title: string
  /** The id of the editor in which their lines are. */
  editor?: string
}

/** What the server found, each with the line that it stands in; a line leads there. */
export function Findings({ of: findings, title, editor }: FindingsProps) {
  const text = useText()
  return (
    <Section title={title}>
      <div role="alert">
        <ul className="findings">
          {findings.map(({ path, line, message }) => (
            <li key={`${line} ${path} ${message}`}>
              {line && editor ? (
                <Button look="ghost" onClick={() => goTo(editor, line)}>
                  {text.config.line(line)}
                </Button>
              ) : (
                line && <span className="muted">{text.config.line(line)}</span>
              )}
              {path && (
                <code>
                  <Name of={path} />
                </code>
              )}
              <span>
                <Name of={message} />
              </span>
            </li>
          ))}
        </ul>
      </div>
    </Section>
  )
}

/** Puts the caret there and brings the line into sight. */
export function goTo(editor: string, line: number) {
  const area = document.getElementById(editor)
  if (!(area instanceof HTMLTextAreaElement)) return
  const lines = area.value.split('\n')
  const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0)
  area.focus()
  area.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0))
  const height = area.scrollHeight / Math.max(lines.length, 1)
  area.scrollTop = Math.max(0, (line - 4) * height)
}
