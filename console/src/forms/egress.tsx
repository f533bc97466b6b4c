import { useText } from '../text'
import { Button } from '../ui/button'
import { type RuleDraft, ruleOf } from './egress-rules'

interface EgressFieldProps {
  value: RuleDraft[]
  onChange: (value: RuleDraft[]) => void
  /** What the server refused. */
  error: string | undefined
}

/** What `context.http` may call: a row for each rule. */
export function EgressField({ value, onChange, error }: EgressFieldProps) {
  const text = useText()
  const change = (key: number, part: Partial<RuleDraft>) =>
    onChange(value.map((rule) => (rule.key === key ? { ...rule, ...part } : rule)))
  const add = () => {
    const key = Math.max(0, ...value.map((rule) => rule.key + 1))
    onChange([...value, { key, methods: 'GET', address: 'https://' }])
  }
  return (
    <fieldset className="choices">
      <legend>
        {text.egress.rules} <span className="muted">{text.optional}</span>
      </legend>
      <p className="muted">{text.egress.rulesHint}</p>
      {value.map((rule, index) => (
        <div className="pair" key={rule.key}>
          <input
            className="mono"
            aria-label={text.egress.methods(index + 1)}
            spellCheck={false}
            value={rule.methods}
            onChange={(event) => change(rule.key, { methods: event.target.value })}
          />
          <span className="inline">
            <input
              className="mono"
              aria-label={text.egress.address(index + 1)}
              aria-invalid={ruleOf(rule) ? undefined : true}
              spellCheck={false}
              value={rule.address}
              onChange={(event) => change(rule.key, { address: event.target.value })}
            />
            <Button
              icon="cross"
              compact
              onClick={() => onChange(value.filter((other) => other.key !== rule.key))}
            >
              {text.egress.drop(index + 1)}
            </Button>
          </span>
        </div>
      ))}
      <Button icon="plus" onClick={add}>
        {text.egress.add}
      </Button>
      {error && <p className="wrong">{error}</p>}
    </fieldset>
  )
}
