import { type FormEvent, useState } from 'react'
import { answered, api } from '../../api/client'
import type { Agent, Kill } from '../../api/types'
import { command, Equivalent, flag } from '../../components/equivalent'
import { useChange } from '../../hooks/change'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Copyable } from '../../ui/copy'
import { Dialog } from '../../ui/dialog'
import { Field } from '../../ui/form'
import { Failure, Properties } from '../../ui/page'
import { Status } from '../../ui/status'
import { Moment } from '../../ui/time'

const changes = ['approve', 'reject', 'suspend', 'reactivate', 'kill', 'decommission'] as const

type Change = (typeof changes)[number]

/** What takes something away for good is confirmed by the agent's name. */
const confirmed: Change[] = ['kill', 'decommission', 'reject']
/** What asks for a reason; it is kept on the fact. */
const reasoned: Change[] = ['suspend', 'kill', 'reject']

export function isChange(panel: string | undefined): panel is Change {
  return changes.some((known) => known === panel)
}

interface StateChangeProps {
  agent: Agent
  to: Change
  onClose: () => void
}

/** Stops an agent, lets it go on, or retires it. A kill answers with a receipt. */
export function StateChange({ agent, to, onClose }: StateChangeProps) {
  const text = useText()
  const [reason, setReason] = useState('')
  const [typed, setTyped] = useState('')
  const [receipt, setReceipt] = useState<Kill>()
  const change = useChange(
    (body: { reason?: string }, key) => send(to, agent.id, body, key),
    (killed) => (killed ? setReceipt(killed) : onClose()),
  )
  const name = `${agent.namespace}:${agent.name}`
  const words = text.agents.changes[to]
  const asksReason = reasoned.includes(to)
  const asksName = confirmed.includes(to)
  const body = asksReason && reason.trim() !== '' ? { reason: reason.trim() } : {}
  const submit = (event: FormEvent) => {
    event.preventDefault()
    change.mutate(body)
  }
  if (receipt) {
    return (
      <Dialog title={text.agents.receipt} kind="centre" onClose={onClose}>
        <Receipt of={receipt} />
        <footer>
          <Button look="primary" onClick={onClose}>
            {text.close}
          </Button>
        </footer>
      </Dialog>
    )
  }
  return (
    <Dialog title={words.title(agent.display_name || agent.name)} kind="centre" onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <p>{words.detail}</p>
        {asksReason && (
          <Field label={text.agents.reason} optional={text.optional} hint={text.agents.reasonHint}>
            {(ids) => <input {...ids} value={reason} onChange={(event) => setReason(event.target.value)} />}
          </Field>
        )}
        {asksName && (
          <Field label={text.confirmByName(name)}>
            {(ids) => (
              <input
                {...ids}
                className="mono"
                value={typed}
                autoComplete="off"
                spellCheck={false}
                onChange={(event) => setTyped(event.target.value)}
              />
            )}
          </Field>
        )}
        {change.error && <Failure error={change.error} />}
        <Equivalent
          method={to === 'decommission' ? 'DELETE' : 'POST'}
          path={`/api/v1/agents/${agent.id}${to === 'decommission' ? '' : `/${to}`}`}
          {...(asksReason && { body })}
          cli={command(`safeconduct agents ${to}`, name, flag('reason', body.reason))}
        />
        <footer>
          <Button onClick={onClose}>{text.cancel}</Button>
          <Button
            type="submit"
            look={asksName ? 'danger' : 'primary'}
            busy={change.isPending}
            reason={asksName && typed !== name ? text.confirmReason : undefined}
          >
            {words.act}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}

async function send(
  to: Change,
  agent: string,
  body: { reason?: string },
  key: string,
): Promise<Kill | undefined> {
  const params = { path: { agent }, header: { 'Idempotency-Key': key } }
  if (to === 'kill')
    return answered(api.POST('/api/v1/agents/{agent}/kill', { body, params: { path: { agent } } }))
  if (to === 'decommission')
    await answered(api.DELETE('/api/v1/agents/{agent}', { params: { path: { agent } } }))
  else if (to === 'reject') await answered(api.POST('/api/v1/agents/{agent}/reject', { body, params }))
  else if (to === 'approve') await answered(api.POST('/api/v1/agents/{agent}/approve', { params }))
  else if (to === 'suspend') await answered(api.POST('/api/v1/agents/{agent}/suspend', { body, params }))
  else await answered(api.POST('/api/v1/agents/{agent}/reactivate', { params }))
  return undefined
}

/** What died, where, in how many milliseconds. */
function Receipt({ of: kill }: { of: Kill }) {
  const text = useText()
  const words = text.agents.receiptParts
  return (
    <div className="receipt">
      <Properties
        of={[
          [words.id, <Copyable key="i" value={kill.id} />],
          [words.requested, <Moment key="r" at={kill.requested_at} />],
          [
            words.confirmed,
            kill.confirmed_at ? <Moment key="c" at={kill.confirmed_at} /> : <Status key="c" of="pending" />,
          ],
          [words.took, <Took key="d" of={kill} />],
          [
            words.tokens,
            <span key="t" className="mono">
              {kill.tokens.count}
            </span>,
          ],
          [
            words.runs,
            <span key="u" className="mono">
              {kill.runs}
            </span>,
          ],
          [
            words.sessions,
            <span key="s" className="mono">
              {kill.sessions}
            </span>,
          ],
          [
            words.revision,
            <span key="v" className="mono">
              {kill.revision ?? '–'}
            </span>,
          ],
        ]}
      />
      <h3>{words.nodes}</h3>
      <ul>
        {kill.nodes.map((node) => (
          <li key={node.id}>
            <Status of={node.state} />
            <span className="mono">{node.id}</span>
            {typeof node.applied_ms === 'number' && <span className="mono">{node.applied_ms} ms</span>}
          </li>
        ))}
      </ul>
      {kill.tokens.jtis.length > 0 && (
        <details>
          <summary>{words.jtis}</summary>
          <ul>
            {kill.tokens.jtis.map((jti) => (
              <li key={jti}>
                <Copyable value={jti} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  )
}

/** In milliseconds, however long it was: that is what the receipt answers for. */
function Took({ of: { requested_at, confirmed_at } }: { of: Kill }) {
  if (!confirmed_at) return <span className="muted">–</span>
  return <span className="mono">{Date.parse(confirmed_at) - Date.parse(requested_at)} ms</span>
}
