import { type FormEvent, useState } from 'react'
import { answered, api } from '../api/client'
import { Problem } from '../api/problem'
import type { Agent, Body } from '../api/types'
import { command, Equivalent, flag } from '../components/equivalent'
import { useChange } from '../hooks/change'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Field } from '../ui/form'
import { Failure } from '../ui/page'

type NewAgent = Body<'agents.create'>

export const agentTypes = [
  'screener',
  'classifier',
  'orchestrator',
  'extractor',
  'summarizer',
  'router',
  'monitor',
  'custom',
]

/** Registers an agent. Only a name is needed; what it may do is given with it and can't exceed what you may do. */
export function AgentForm({ onDone }: { onDone: (agent: Agent) => void }) {
  const text = useText()
  const [fields, setFields] = useState({
    namespace: 'default',
    name: '',
    display_name: '',
    description: '',
    type: 'custom',
    deployment_env: 'development',
    permissions: '',
  })
  const body = bodyOf(fields)
  const create = useChange(
    (body: NewAgent, key) =>
      answered(api.POST('/api/v1/agents', { body, params: { header: { 'Idempotency-Key': key } } })),
    onDone,
  )
  const refused = create.error instanceof Problem ? create.error : undefined
  const bind = (name: keyof typeof fields) => ({
    name,
    value: fields[name],
    onChange: (event: { target: { value: string } }) => setFields({ ...fields, [name]: event.target.value }),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    create.mutate(body)
  }
  return (
    <form onSubmit={submit} className="form">
      <div className="pair">
        <Field label={text.agents.namespace} error={refused?.of('namespace')}>
          {(ids) => <input {...ids} {...bind('namespace')} className="mono" required spellCheck={false} />}
        </Field>
        <Field label={text.agents.name} error={refused?.of('name')}>
          {(ids) => (
            <input
              {...ids}
              {...bind('name')}
              className="mono"
              required
              data-first
              spellCheck={false}
              pattern="[a-z][a-z0-9_\-]{0,62}"
            />
          )}
        </Field>
      </div>
      <p className="muted hint">{text.agents.nameRule}</p>
      <Field label={text.agents.displayName} optional={text.optional} error={refused?.of('display_name')}>
        {(ids) => <input {...ids} {...bind('display_name')} />}
      </Field>
      <Field label={text.description} optional={text.optional} error={refused?.of('description')}>
        {(ids) => <textarea {...ids} {...bind('description')} rows={2} />}
      </Field>
      <div className="pair">
        <Field label={text.agents.type} error={refused?.of('type')}>
          {(ids) => (
            <select {...ids} {...bind('type')}>
              {agentTypes.map((type) => (
                <option key={type}>{type}</option>
              ))}
            </select>
          )}
        </Field>
        <Field label={text.agents.env} error={refused?.of('deployment_env')}>
          {(ids) => (
            <select {...ids} {...bind('deployment_env')}>
              {Object.entries(text.envs).map(([id, name]) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <Field
        label={text.agents.permissions}
        optional={text.optional}
        hint={text.agents.permissionsHint}
        error={refused?.of('permissions')}
      >
        {(ids) => (
          <textarea
            {...ids}
            {...bind('permissions')}
            rows={3}
            className="mono"
            spellCheck={false}
            placeholder="functions:execute"
          />
        )}
      </Field>
      {create.error && <Failure error={create.error} />}
      <Equivalent
        method="POST"
        path="/api/v1/agents"
        body={body}
        cli={command(
          'safeconduct agents register',
          `${body.namespace ?? 'default'}:${body.name || '<name>'}`,
          flag('display-name', body.display_name),
          flag('description', body.description),
          flag('type', body.type),
          flag('env', body.deployment_env),
          ...(body.permissions ?? []).map((permission) => flag('permission', permission)),
        )}
      />
      <footer>
        <Button look="primary" type="submit" busy={create.isPending}>
          {text.agents.register}
        </Button>
      </footer>
    </form>
  )
}

function bodyOf(fields: Record<string, string>): NewAgent {
  const permissions = (fields.permissions ?? '').split(/[\s,]+/).filter(Boolean)
  const given = Object.entries(fields).filter(
    ([name, value]) => name !== 'permissions' && value.trim() !== '',
  )
  return { ...Object.fromEntries(given), ...(permissions.length > 0 && { permissions }) }
}
