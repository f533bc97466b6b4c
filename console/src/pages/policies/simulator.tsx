import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { answered, api } from '../../api/client'
import { Problem } from '../../api/problem'
import type { Body, PolicyBundle, Simulation } from '../../api/types'
import { command, Equivalent, flag, quoted } from '../../components/equivalent'
import { type Principal, PrincipalField } from '../../components/principal-field'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { JsonBlock } from '../../ui/copy'
import { Field } from '../../ui/form'
import { Failure, Properties } from '../../ui/page'
import { Status } from '../../ui/status'

/** What is asked: a version by its id, a draft with its files, or what is in force. */
export interface Asked {
  policy?: string
  bundle?: PolicyBundle | undefined
  /** The draft's files, for the command. */
  files?: string[]
}

/** Would somebody be allowed something, and which rules say so? */
export function Simulator({ policy, bundle, files = [] }: Asked) {
  const text = useText()
  const [principal, setPrincipal] = useState<Principal>()
  const [permission, setPermission] = useState('agents:delete')
  const [operation, setOperation] = useState('')
  const [selector, setSelector] = useState('')
  const [attributes, setAttributes] = useState('')
  const known = objectOf(attributes)
  const ask = useMutation({
    mutationFn: (body: Body<'policies.simulate'>) =>
      answered(api.POST('/api/v1/policies/simulate', { body })),
  })
  const refused = ask.error instanceof Problem ? ask.error : undefined
  const body = {
    permission: permission.trim(),
    ...(principal && { principal: principal.id }),
    ...(operation.trim() && { operation: operation.trim() }),
    ...((selector.trim() || attributes.trim()) && {
      resource: {
        ...(selector.trim() && { selector: selector.trim() }),
        ...(attributes.trim() && known && { attributes: known }),
      },
    }),
    ...(policy && { policy }),
    ...(bundle && { bundle }),
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    ask.mutate(body as Body<'policies.simulate'>)
  }
  return (
    <div className="simulator">
      <form className="form" onSubmit={submit} aria-label={text.policies.simulate}>
        <div className="pair">
          <Field label={text.policies.permission} error={refused?.of('permission')}>
            {(ids) => (
              <input
                {...ids}
                className="mono"
                value={permission}
                required
                placeholder="agents:delete"
                spellCheck={false}
                onChange={(event) => setPermission(event.target.value)}
              />
            )}
          </Field>
          <PrincipalField
            label={text.policies.principal}
            kinds={['user', 'agent']}
            chosen={principal}
            optional={text.optional}
            hint={text.policies.principalHint}
            error={refused?.of('principal')}
            onChoose={setPrincipal}
          />
        </div>
        <div className="pair">
          <Field label={text.policies.operation} optional={text.optional}>
            {(ids) => (
              <input
                {...ids}
                className="mono"
                value={operation}
                placeholder="agents.kill"
                spellCheck={false}
                onChange={(event) => setOperation(event.target.value)}
              />
            )}
          </Field>
          <Field label={text.policies.resource} optional={text.optional}>
            {(ids) => (
              <input
                {...ids}
                className="mono"
                value={selector}
                placeholder="prod/billing"
                spellCheck={false}
                onChange={(event) => setSelector(event.target.value)}
              />
            )}
          </Field>
        </div>
        <Field
          label={text.policies.attributes}
          optional={text.optional}
          hint={text.policies.attributesHint}
          error={attributes.trim() && !known ? text.notJsonObject : undefined}
        >
          {(ids) => (
            <textarea
              {...ids}
              className="mono"
              rows={2}
              value={attributes}
              placeholder='{"env": "production"}'
              spellCheck={false}
              onChange={(event) => setAttributes(event.target.value)}
            />
          )}
        </Field>
        {ask.error && <Failure error={ask.error} />}
        <Equivalent
          method="POST"
          path="/api/v1/policies/simulate"
          body={body}
          cli={command(
            'safeconduct policies simulate',
            quoted(body.permission || 'agents:delete'),
            flag('as', body.principal),
            flag('operation', body.operation),
            flag('resource', selector.trim()),
            ...Object.entries(known ?? {}).map(([key, value]) =>
              flag('attribute', `${key}=${JSON.stringify(value)}`),
            ),
            flag('policy', policy),
            ...files.map((file) => flag('files', file)),
          )}
        />
        <footer>
          <Button
            type="submit"
            look="primary"
            busy={ask.isPending}
            reason={attributes.trim() && !known ? text.notJsonObject : undefined}
          >
            {text.policies.ask}
          </Button>
        </footer>
      </form>
      {ask.data && <Answer of={ask.data} />}
    </div>
  )
}

function Answer({ of: answer }: { of: Simulation }) {
  const text = useText()
  return (
    <section className="answer" aria-label={text.policies.answer} aria-live="polite">
      <p className="verdict">
        <Status of={answer.allowed ? 'allowed' : 'denied'} />
        <strong>{answer.allowed ? text.policies.wouldBe : text.policies.wouldNotBe}</strong>
      </p>
      <Properties
        of={[
          [text.policies.byPermissions, <Status key="p" of={answer.permitted ? 'allowed' : 'denied'} />],
          [text.policies.byPolicy, <Status key="o" of={answer.outcome} />],
          ...(answer.reasons.length > 0
            ? ([[text.policies.reasons, answer.reasons.join('; ')]] as [string, string][])
            : []),
          ...(answer.approvers.length > 0
            ? ([[text.policies.approvers, answer.approvers.join(', ')]] as [string, string][])
            : []),
          ...(answer.failure ? ([[text.policies.failure, answer.failure]] as [string, string][]) : []),
        ]}
      />
      {answer.rules.length === 0 ? (
        <p className="muted">{text.policies.noRule}</p>
      ) : (
        <ul className="fired" aria-label={text.policies.fired}>
          {answer.rules.map((rule) => (
            <li key={`${rule.path}:${rule.line}:${rule.rule}`}>
              <code>
                {rule.path}:{rule.line}
              </code>
              <span>
                <code>{rule.rule}</code> {rule.says.join('; ')}
              </span>
            </li>
          ))}
        </ul>
      )}
      <details>
        <summary>{text.policies.input}</summary>
        <JsonBlock value={answer.input} label={text.policies.input} />
      </details>
    </section>
  )
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
