import { Link } from '@tanstack/react-router'
import type { ConfigChange, ConfigField, ConfigPlan } from '../../api/types'
import { placeOf } from '../../paths'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Name } from '../../ui/name'
import { Section } from '../../ui/page'
import { Status } from '../../ui/status'
import { Findings, goTo } from './findings'
import { linesOf } from './lines'

interface PlanProps {
  of: ConfigPlan
  /** The id of the editor that holds the document. */
  editor: string
}

/** What a document changes, thing by thing; what gives or takes rights stands out. */
export function Plan({ of: plan, editor }: PlanProps) {
  const text = useText()
  const rights = plan.changes.filter(({ changes_rights }) => changes_rights).length
  return (
    <Section title={text.config.planned}>
      <p className="run-line" role="status">
        {plan.changes.length === 0 ? (
          <Status of="unchanged" label={text.config.nothingToDo} />
        ) : (
          <Status of="open" label={text.config.count(plan.changes.length)} />
        )}
        {rights > 0 && <Status of="warning" label={text.config.rightsOf(rights)} />}
        <span className="muted">{text.config.unchanged(plan.unchanged)}</span>
      </p>
      <Changes of={plan.changes} editor={editor} />
      {plan.conflicts.length > 0 && (
        <>
          <h3>{text.config.conflicts}</h3>
          <Changes of={plan.conflicts} editor={editor} />
        </>
      )}
      {plan.adopted.length > 0 && (
        <>
          <h3>{text.config.adopted}</h3>
          <ul className="adopted">
            {plan.adopted.map(({ section, key }) => (
              <li key={`${section}/${key}`} className="mono">
                <Name of={`${section}/${key}`} />
              </li>
            ))}
          </ul>
        </>
      )}
      {plan.warnings.length > 0 && (
        <Findings of={plan.warnings} title={text.config.warnings} editor={editor} />
      )}
    </Section>
  )
}

export function Changes({ of: changes, editor }: { of: ConfigChange[]; editor?: string }) {
  return (
    <ol className="changes">
      {changes.map((change) => (
        <Change key={`${change.section}/${change.key}`} of={change} {...(editor && { editor })} />
      ))}
    </ol>
  )
}

const marks = { create: 'created', update: 'rotating', delete: 'refused' } as const

function Change({ of: change, editor }: { of: ConfigChange; editor?: string }) {
  const text = useText()
  const { action, section, key, id, line, managed_by: from } = change
  const place = id && action !== 'delete' ? placeOf(id) : undefined
  const name = <Name of={`${section}/${key}`} />
  return (
    <li className={change.changes_rights ? 'change rights' : 'change'}>
      <p className="head">
        <Status of={marks[action]} label={text.config.actions[action]} />
        <strong className="mono">{place ? <Link to={place}>{name}</Link> : name}</strong>
        {change.changes_rights && <Status of="warning" label={text.config.rights} />}
        {from && (
          <span className="muted">
            <Name of={text.config.managedBy(from)} />
          </span>
        )}
        {line && editor && (
          <Button look="ghost" onClick={() => goTo(editor, line)}>
            {text.config.line(line)}
          </Button>
        )}
      </p>
      {action !== 'delete' && change.fields.length > 0 && (
        <Fields of={change.fields} isNew={action === 'create'} />
      )}
    </li>
  )
}

/** Field by field: rights by what comes and what goes, long texts by their lines, everything else before and after. */
export function Fields({ of: fields, isNew }: { of: ConfigField[]; isNew?: boolean }) {
  return (
    <dl className="fields">
      {fields.map((field) => (
        <div key={field.field}>
          <dt className="mono">
            <Name of={field.field.replace(/^\//, '')} />
          </dt>
          <dd>
            <Value of={field} isNew={isNew ?? false} />
          </dd>
        </div>
      ))}
    </dl>
  )
}

function Value({
  of: { field, before, after, gained = [], lost = [] },
  isNew,
}: {
  of: ConfigField
  isNew: boolean
}) {
  const text = useText()
  if (gained.length + lost.length > 0)
    return (
      <ul className="right-changes">
        {gained.map((right) => (
          <Right key={right} of={right} mark="+" label={text.config.gained} />
        ))}
        {lost.map((right) => (
          <Right key={right} of={right} mark="−" label={text.config.lost} />
        ))}
      </ul>
    )
  const [old, next] = [written(before), written(after)]
  if (!isNew && (old.includes('\n') || next.includes('\n')))
    return <Lines label={text.config.textOf(field.replace(/^\//, ''))} before={old} after={next} />
  return (
    <span className="sides">
      {!isNew && before !== null && before !== undefined && (
        <>
          <del>
            <span className="visually-hidden">{text.config.before}: </span>
            <Name of={old} />
          </del>{' '}
        </>
      )}
      {after !== null && after !== undefined && (
        <ins>
          <span className="visually-hidden">{text.config.after}: </span>
          <Name of={next} as="lines" />
        </ins>
      )}
    </span>
  )
}

function Right({ of: right, mark, label }: { of: string; mark: '+' | '−'; label: string }) {
  return (
    <li className={mark === '+' ? 'gained' : 'lost'}>
      <span aria-hidden="true">{mark}</span>
      <span className="visually-hidden">{label}: </span>
      <code>
        <Name of={right} />
      </code>
    </li>
  )
}

function Lines({ label, before, after }: { label: string; before: string; after: string }) {
  const signs = { both: ' ', before: '−', after: '+' } as const
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <pre className="line-diff" tabIndex={0} role="region" aria-label={label}>
      {linesOf(before, after).map((line, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is where it is
        <span key={at} className={line.in}>
          {signs[line.in]} <Name of={line.text} />
          {'\n'}
        </span>
      ))}
    </pre>
  )
}

/** A value in words: texts as they are, everything else as JSON. */
function written(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value, null, typeof value === 'object' ? 1 : 0)
}
