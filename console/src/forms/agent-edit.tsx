import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { answered, api } from '../api/client'
import { Problem } from '../api/problem'
import { queries } from '../api/queries'
import type { Agent, Body } from '../api/types'
import { Equivalent, flag } from '../components/equivalent'
import { useChange } from '../hooks/change'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Failure } from '../ui/page'
import { agentCommand, changed, draftOf, metadataOf } from './agent-draft'
import { AgentFields } from './agent-fields'
import { rebased } from './rebased'

interface AgentEditProps {
  agent: Agent
  onDone: () => void
}

/**
 * Changes an agent: only what differs is sent, and only if nobody else changed it since it was read. If somebody did, the
 * form goes on from what it is now and keeps what was typed.
 */
export function AgentEdit({ agent, onDone }: AgentEditProps) {
  const text = useText()
  const client = useQueryClient()
  const [base, setBase] = useState(agent)
  const [draft, setDraft] = useState(() => draftOf(agent))
  const [moved, setMoved] = useState(false)
  const body = changed(draft, draftOf(base))
  const update = useChange(
    (body: Body<'agents.update'>) =>
      answered(
        api.PATCH('/api/v1/agents/{agent}', {
          body,
          params: { path: { agent: base.id } },
          headers: { 'if-match': `"${base.revision}"` },
        }),
      ),
    onDone,
  )
  const follow = async () => {
    const now = await client.fetchQuery({ ...queries.agent(base.id), staleTime: 0 })
    setDraft(rebased(draft, draftOf(base), draftOf(now)))
    setBase(now)
    setMoved(true)
    update.reset()
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setMoved(false)
    update.mutate(body, {
      onError: (error) => {
        if (error instanceof Problem && error.code === 'stale_revision') void follow()
      },
    })
  }
  const refused = update.error instanceof Problem ? update.error : undefined
  const nothing = Object.keys(body).length === 0 ? text.agents.unchanged : undefined
  return (
    <form onSubmit={submit} className="form">
      <AgentFields draft={draft} onChange={setDraft} refused={refused} open />
      {moved && (
        <p className="once" role="alert">
          {text.agents.moved}
        </p>
      )}
      {update.error && <Failure error={update.error} />}
      <Equivalent
        method="PATCH"
        path={`/api/v1/agents/${base.id}`}
        revision={base.revision}
        body={body}
        cli={agentCommand(
          'update',
          `${base.namespace}:${base.name}`,
          body,
          flag('if-revision', base.revision),
        )}
      />
      <footer>
        <Button
          look="primary"
          type="submit"
          busy={update.isPending}
          reason={metadataOf(draft) === undefined ? text.notJsonObject : nothing}
        >
          {text.agents.save}
        </Button>
      </footer>
    </form>
  )
}
