import { type FormEvent, useState } from 'react'
import { answered, api } from '../api/client'
import { Problem } from '../api/problem'
import type { Agent, Body, Credential, Issued } from '../api/types'
import { command, Equivalent, flag, quoted } from '../components/equivalent'
import { useChange } from '../hooks/change'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Field } from '../ui/form'
import { Failure } from '../ui/page'

interface FormProps<T = Issued> {
  agent: Agent
  onDone: (done: T) => void
}

const DAY = 86_400_000

/** Lifetimes to choose from, in days. */
const lifetimes = ['30', '90', '365', '']

function end(days: string): string | undefined {
  return days === '' ? undefined : new Date(Date.now() + Number(days) * DAY).toISOString()
}

export function CredentialForm({ agent, onDone }: FormProps) {
  const text = useText()
  const [kind, setKind] = useState<'secret' | 'public_key'>('secret')
  const [label, setLabel] = useState('')
  const [days, setDays] = useState('90')
  const [key, setKey] = useState('')
  const jwk = parsed(key)
  const create = useChange(
    (body: Body<'credentials.create'>, attempt) =>
      answered(
        api.POST('/api/v1/agents/{agent}/credentials', {
          body,
          params: { path: { agent: agent.id }, header: { 'Idempotency-Key': attempt } },
        }),
      ),
    onDone,
  )
  const refused = create.error instanceof Problem ? create.error : undefined
  const expires_at = end(days)
  const body = {
    kind,
    label: label.trim(),
    ...(expires_at && { expires_at }),
    ...(kind === 'public_key' && { public_key: jwk }),
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    create.mutate(body as Body<'credentials.create'>)
  }
  return (
    <form className="form" onSubmit={submit}>
      <fieldset className="choices">
        <legend>{text.credentials.kind}</legend>
        {(['secret', 'public_key'] as const).map((id) => (
          <label key={id}>
            <input type="radio" name="kind" checked={kind === id} onChange={() => setKind(id)} />
            <span>
              {text.credentials.kinds[id]}
              <small className="muted">{text.credentials.kindDetails[id]}</small>
            </span>
          </label>
        ))}
      </fieldset>
      <Field label={text.credentials.label} hint={text.credentials.labelHint} error={refused?.of('label')}>
        {(ids) => (
          <input {...ids} value={label} required onChange={(event) => setLabel(event.target.value)} />
        )}
      </Field>
      <Field label={text.credentials.lifetime} error={refused?.of('expires_at')}>
        {(ids) => (
          <select {...ids} value={days} onChange={(event) => setDays(event.target.value)}>
            {lifetimes.map((days) => (
              <option key={days} value={days}>
                {days ? text.days(Number(days)) : text.credentials.forever}
              </option>
            ))}
          </select>
        )}
      </Field>
      {kind === 'public_key' && (
        <Field
          label={text.credentials.jwk}
          hint={text.credentials.jwkHint}
          error={refused?.of('public_key') ?? (key !== '' && jwk === undefined ? text.notJson : undefined)}
        >
          {(ids) => (
            <textarea
              {...ids}
              className="mono"
              rows={6}
              required
              value={key}
              spellCheck={false}
              onChange={(event) => setKey(event.target.value)}
            />
          )}
        </Field>
      )}
      {create.error && <Failure error={create.error} />}
      <Equivalent
        method="POST"
        path={`/api/v1/agents/${agent.id}/credentials`}
        body={body}
        cli={command(
          'safeconduct credentials create',
          `${agent.namespace}:${agent.name}`,
          flag('label', body.label || '<label>'),
          flag('expires-at', expires_at),
          kind === 'public_key' && '--kind public-key --public-key key.jwk',
        )}
      />
      <footer>
        <Button type="submit" look="primary" busy={create.isPending}>
          {text.credentials.create}
        </Button>
      </footer>
    </form>
  )
}

/** Overlaps to choose from, in seconds: how long the old one goes on working. */
const overlaps = ['0', '3600', '86400', '604800']

export function RotateForm({ agent, credential, onDone }: FormProps & { credential: Credential }) {
  const text = useText()
  const [overlap, setOverlap] = useState('3600')
  const [key, setKey] = useState('')
  const jwk = parsed(key)
  const rotate = useChange(
    (body: Body<'credentials.rotate'>, attempt) =>
      answered(
        api.POST('/api/v1/agents/{agent}/credentials/{credential}/rotate', {
          body,
          params: {
            path: { agent: agent.id, credential: credential.id },
            header: { 'Idempotency-Key': attempt },
          },
        }),
      ),
    onDone,
  )
  const refused = rotate.error instanceof Problem ? rotate.error : undefined
  const asksKey = credential.kind === 'public_key'
  const body = { overlap_seconds: Number(overlap), ...(asksKey && { public_key: jwk }) }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    rotate.mutate(body as Body<'credentials.rotate'>)
  }
  return (
    <form className="form" onSubmit={submit}>
      <p>{text.credentials.rotateDetail}</p>
      <Field label={text.credentials.overlap} error={refused?.of('overlap_seconds')}>
        {(ids) => (
          <select {...ids} value={overlap} onChange={(event) => setOverlap(event.target.value)}>
            {overlaps.map((seconds) => (
              <option key={seconds} value={seconds}>
                {text.credentials.overlaps[seconds as '0']}
              </option>
            ))}
          </select>
        )}
      </Field>
      {asksKey && (
        <Field label={text.credentials.jwk} hint={text.credentials.jwkHint} error={refused?.of('public_key')}>
          {(ids) => (
            <textarea
              {...ids}
              className="mono"
              rows={6}
              required
              value={key}
              spellCheck={false}
              onChange={(event) => setKey(event.target.value)}
            />
          )}
        </Field>
      )}
      {rotate.error && <Failure error={rotate.error} />}
      <Equivalent
        method="POST"
        path={`/api/v1/agents/${agent.id}/credentials/${credential.id}/rotate`}
        body={body}
        cli={command(
          'safeconduct credentials rotate',
          `${agent.namespace}:${agent.name}`,
          credential.id,
          flag('overlap', overlap),
          asksKey && '--kind public-key --public-key key.jwk',
        )}
      />
      <footer>
        <Button type="submit" look="primary" busy={rotate.isPending}>
          {text.credentials.rotate}
        </Button>
      </footer>
    </form>
  )
}

export function RevokeForm({ agent, credential, onDone }: FormProps<void> & { credential: Credential }) {
  const text = useText()
  const [typed, setTyped] = useState('')
  const revoke = useChange(
    () =>
      answered(
        api.DELETE('/api/v1/agents/{agent}/credentials/{credential}', {
          params: { path: { agent: agent.id, credential: credential.id } },
        }),
      ),
    () => onDone(),
  )
  const submit = (event: FormEvent) => {
    event.preventDefault()
    revoke.mutate(undefined)
  }
  return (
    <form className="form" onSubmit={submit}>
      <p>{text.credentials.revokeDetail}</p>
      <Field label={text.confirmByName(credential.label)}>
        {(ids) => (
          <input
            {...ids}
            value={typed}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => setTyped(event.target.value)}
          />
        )}
      </Field>
      {revoke.error && <Failure error={revoke.error} />}
      <Equivalent
        method="DELETE"
        path={`/api/v1/agents/${agent.id}/credentials/${credential.id}`}
        cli={command(
          'safeconduct credentials revoke',
          quoted(`${agent.namespace}:${agent.name}`),
          credential.id,
        )}
      />
      <footer>
        <Button
          type="submit"
          look="danger"
          busy={revoke.isPending}
          reason={typed === credential.label ? undefined : text.confirmReason}
        >
          {text.credentials.revoke}
        </Button>
      </footer>
    </form>
  )
}

/** The JSON value, or undefined while it is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
