import { useText } from '../text'
import { Name } from '../ui/name'

/** Short words of the API, such as roles or permissions, each in its own box. */
export function Words({ of }: { of: string[] }) {
  const text = useText()
  if (of.length === 0) return <span className="muted">{text.noneGiven}</span>
  return (
    <ul className="words">
      {of.map((word) => (
        <li key={word} className="mono">
          <Name of={word} />
        </li>
      ))}
    </ul>
  )
}
