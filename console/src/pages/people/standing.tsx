import { useState } from 'react'
import { answered, api } from '../../api/client'
import type { Member } from '../../api/types'
import { Confirm } from '../../components/confirm'
import { command, flag } from '../../components/equivalent'
import { type Principal, PrincipalField } from '../../components/principal-field'
import { useChange } from '../../hooks/change'
import { useText } from '../../text'
import { Field } from '../../ui/form'

const standings = ['suspend', 'reactivate', 'suspend-everywhere', 'reactivate-everywhere'] as const

type Standing = (typeof standings)[number]

export function isStanding(panel: string | undefined): panel is Standing {
  return standings.some((known) => known === panel)
}

interface StandingChangeProps {
  of: Member
  to: Standing
  onClose: () => void
}

/** Suspends a person and lets it back: the organization inside its domains, an operator anywhere. */
export function StandingChange({ of: member, to, onClose }: StandingChangeProps) {
  const text = useText()
  const [reason, setReason] = useState('')
  const suspends = to === 'suspend' || to === 'suspend-everywhere'
  const body = reason.trim() ? { reason: reason.trim() } : {}
  const change = useChange((_: undefined, key) => send(to, member.user, body, key), onClose)
  const words = text.people.standings[to]
  const act = suspends ? 'suspend' : 'reactivate'
  const [path, cli] = to.endsWith('everywhere')
    ? [`/api/v1/system/users/${member.user}/${act}`, `safeconduct users ${act}`]
    : [`/api/v1/users/${member.user}/${act}`, `safeconduct members ${act}`]
  return (
    <Confirm
      title={words.title(member.display_name)}
      detail={words.detail}
      act={words.act}
      change={change}
      same={{
        method: 'POST',
        path,
        ...(suspends && { body }),
        cli: command(cli, member.user, flag('reason', body.reason)),
      }}
      onClose={onClose}
    >
      {suspends && (
        <Field label={text.agents.reason} optional={text.optional} hint={text.agents.reasonHint}>
          {(ids) => <input {...ids} value={reason} onChange={(event) => setReason(event.target.value)} />}
        </Field>
      )}
    </Confirm>
  )
}

async function send(to: Standing, user: string, body: { reason?: string }, key: string): Promise<void> {
  const params = { path: { user }, header: { 'Idempotency-Key': key } }
  if (to === 'suspend') await answered(api.POST('/api/v1/users/{user}/suspend', { body, params }))
  else if (to === 'reactivate') await answered(api.POST('/api/v1/users/{user}/reactivate', { params }))
  else if (to === 'suspend-everywhere')
    await answered(api.POST('/api/v1/system/users/{user}/suspend', { body, params }))
  else await answered(api.POST('/api/v1/system/users/{user}/reactivate', { params }))
}

interface RemovalProps {
  of: Member
  onClose: () => void
  onDone: () => void
}

/** Ends a membership. The member's agents pass on, or are suspended. */
export function Removal({ of: member, onClose, onDone }: RemovalProps) {
  const text = useText()
  const [heir, setHeir] = useState<Principal>()
  const body = heir ? { agents_to: heir.id } : {}
  const change = useChange(
    () => answered(api.DELETE('/api/v1/members/{user}', { params: { path: { user: member.user } }, body })),
    onDone,
  )
  return (
    <Confirm
      title={text.people.removeTitle(member.display_name)}
      detail={text.people.removeDetail}
      name={member.email ?? member.username ?? member.display_name}
      act={text.people.remove}
      change={change}
      same={{
        method: 'DELETE',
        path: `/api/v1/members/${member.user}`,
        body,
        cli: command('safeconduct members remove', member.user, flag('agents-to', heir?.id)),
      }}
      onClose={onClose}
    >
      <PrincipalField
        label={text.people.agentsTo}
        kinds={['user', 'group']}
        optional={text.optional}
        hint={text.people.agentsToHint}
        chosen={heir}
        onChoose={setHeir}
      />
    </Confirm>
  )
}
