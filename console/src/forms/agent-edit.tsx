import { useQueryClient } from '@tanstack/react-query'
import { answered, api } from '../api/client'
import { queries } from '../api/queries'
import type { Agent, Body } from '../api/types'
import { Equivalent, flag } from '../components/equivalent'
import { useEdit } from '../hooks/edit'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Failure } from '../ui/page'
import { agentCommand, changed, draftOf, metadataOf } from './agent-draft'
import { AgentFields } from './agent-fields'

interface AgentEditProps {
  agent: Agent
  onDone: () => void
}

/** Changes an agent. */
export function AgentEdit({ agent, onDone }: AgentEditProps) {
  const text = useText()
  const client = useQueryClient()
  const { base, draft, setDraft, patch, moved, refused, error, busy, submit } = useEdit({
    row: agent,
    draftOf,
    patchOf: changed,
    reread: ({ id }) => client.fetchQuery({ ...queries.agent(id), staleTime: 0 }),
    send: (body: Body<'agents.update'>, { id, revision }) =>
      answered(
        api.PATCH('/api/v1/agents/{agent}', {
          body,
          params: { path: { agent: id } },
          headers: { 'if-match': `"${revision}"` },
        }),
      ),
    onDone,
  })
  const body = patch ?? {}
  const nothing = Object.keys(body).length === 0 ? text.agents.unchanged : undefined
  return (
    <form onSubmit={submit} className="form">
      <AgentFields draft={draft} onChange={setDraft} refused={refused} open />
      {moved && (
        <p className="once" role="alert">
          {text.agents.moved}
        </p>
      )}
      {error && <Failure error={error} />}
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
          busy={busy}
          reason={metadataOf(draft) === undefined ? text.notJsonObject : nothing}
        >
          {text.agents.save}
        </Button>
      </footer>
    </form>
  )
}
