import { type FormEvent, useState } from 'react'
import { answered, api } from '../api/client'
import { Problem } from '../api/problem'
import type { Agent, Body } from '../api/types'
import { Equivalent } from '../components/equivalent'
import { useChange } from '../hooks/change'
import { useReason } from '../hooks/rights'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Field } from '../ui/form'
import { Failure } from '../ui/page'
import { agentCommand, blank, changed, metadataOf } from './agent-draft'
import { AgentFields } from './agent-fields'

type NewAgent = Body<'agents.create'>

/** Registers an agent. Only a name is needed; what it may do is given with it and can't exceed what you may do. */
export function AgentForm({ onDone }: { onDone: (agent: Agent) => void }) {
  const text = useText()
  const [namespace, setNamespace] = useState('default')
  const [name, setName] = useState('')
  const [draft, setDraft] = useState(blank)
  const about = changed(draft, blank)
  const body = { namespace: namespace.trim(), name: name.trim(), ...about } as NewAgent
  const create = useChange(
    (body: NewAgent, key) =>
      answered(api.POST('/api/v1/agents', { body, params: { header: { 'Idempotency-Key': key } } })),
    onDone,
  )
  const mayCreate = useReason('agents:create')
  const refused = create.error instanceof Problem ? create.error : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    create.mutate(body)
  }
  return (
    <form onSubmit={submit} className="form">
      <div className="pair">
        <Field label={text.agents.namespace} error={refused?.of('namespace')}>
          {(ids) => (
            <input
              {...ids}
              value={namespace}
              onChange={(event) => setNamespace(event.target.value)}
              className="mono"
              required
              spellCheck={false}
            />
          )}
        </Field>
        <Field label={text.agents.name} error={refused?.of('name')}>
          {(ids) => (
            <input
              {...ids}
              value={name}
              onChange={(event) => setName(event.target.value)}
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
      <AgentFields draft={draft} onChange={setDraft} refused={refused} />
      {create.error && <Failure error={create.error} />}
      <Equivalent
        method="POST"
        path="/api/v1/agents"
        body={body}
        cli={agentCommand('register', `${body.namespace || 'default'}:${body.name || '<name>'}`, about)}
      />
      <footer>
        <Button
          look="primary"
          type="submit"
          busy={create.isPending}
          reason={mayCreate ?? (metadataOf(draft) === undefined ? text.notJsonObject : undefined)}
        >
          {text.agents.register}
        </Button>
      </footer>
    </form>
  )
}
