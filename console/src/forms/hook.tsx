import { type FormEvent, useState } from 'react'
import { answered, api } from '../api/client'
import { Problem } from '../api/problem'
import type { Body, Hook } from '../api/types'
import { command, Equivalent, flag, flags, quoted } from '../components/equivalent'
import { PermissionEditor } from '../components/permission-editor'
import { useChange } from '../hooks/change'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Field } from '../ui/form'
import { Failure } from '../ui/page'

type New = Body<'hooks.create'>

/** Presets of signatures first: what most senders do. */
export const WAYS = [
  'github',
  'stripe',
  'slack',
  'standard_webhooks',
  'generic',
  'token',
  'basic',
  'none',
] as const
export type Way = (typeof WAYS)[number]

const METHODS = ['POST', 'GET', 'PUT', 'PATCH', 'DELETE'] as const
const INPUTS = ['body', 'envelope'] as const
const RESPONSES = ['sync', 'mapped', 'async'] as const

/** What tells a repeat, where the sender says it by itself. */
const REPEATS: Partial<Record<Way, string>> = { github: 'X-GitHub-Delivery', standard_webhooks: 'webhook-id' }

const blank = {
  path: '',
  target: '',
  description: '',
  way: 'github' as Way,
  header: 'X-Signature',
  prefix: '',
  algorithm: 'sha256' as 'sha256' | 'sha512',
  encoding: 'hex' as 'hex' | 'base64',
  timestamp: '',
  username: '',
  secret: '',
  repeat: REPEATS.github ?? '',
  input: 'body' as (typeof INPUTS)[number],
  response: 'sync' as (typeof RESPONSES)[number],
}

/** Makes a hook; its secret is in the answer and nowhere else. */
export function HookForm({ onDone }: { onDone: (hook: Hook) => void }) {
  const text = useText()
  const [draft, setDraft] = useState(blank)
  const [methods, setMethods] = useState<(typeof METHODS)[number][]>(['POST'])
  const [permissions, setPermissions] = useState<string[]>([])
  const body = bodyOf(draft, methods, permissions)
  const create = useChange(
    (_: undefined, key) =>
      answered(api.POST('/api/v1/hooks', { body, params: { header: { 'Idempotency-Key': key } } })),
    onDone,
  )
  const refused = create.error instanceof Problem ? create.error : undefined
  const bind = (field: keyof typeof blank) => ({
    value: draft[field],
    onChange: (event: { target: { value: string } }) => setDraft({ ...draft, [field]: event.target.value }),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    create.mutate(undefined)
  }
  const choose = (way: Way) => setDraft({ ...draft, way, repeat: REPEATS[way] ?? '' })
  return (
    <form className="form" onSubmit={submit}>
      <Field
        label={text.hooks.path}
        hint={draft.way === 'none' ? text.hooks.openHint : text.hooks.pathHint}
        error={refused?.of('path')}
      >
        {(ids) => (
          <input {...ids} {...bind('path')} className="mono" required maxLength={255} spellCheck={false} />
        )}
      </Field>
      <Field label={text.hooks.target} hint={text.hooks.targetHint} error={refused?.of('target/function')}>
        {(ids) => <input {...ids} {...bind('target')} className="mono" required spellCheck={false} />}
      </Field>
      <Field label={text.description} optional={text.optional} error={refused?.of('description')}>
        {(ids) => <textarea {...ids} {...bind('description')} rows={2} maxLength={4000} />}
      </Field>
      <fieldset className="choices">
        <legend>{text.hooks.methods}</legend>
        {METHODS.map((method) => (
          <label key={method}>
            <input
              type="checkbox"
              checked={methods.includes(method)}
              onChange={(event) =>
                setMethods(
                  event.target.checked ? [...methods, method] : methods.filter((one) => one !== method),
                )
              }
            />
            <span className="mono">{method}</span>
          </label>
        ))}
      </fieldset>
      <Field label={text.hooks.believes} error={refused?.of('authentication')}>
        {(ids) => (
          <select {...ids} value={draft.way} onChange={(event) => choose(event.target.value as Way)}>
            {WAYS.map((way) => (
              <option key={way} value={way}>
                {text.hooks.ways[way]}
              </option>
            ))}
          </select>
        )}
      </Field>
      {draft.way === 'generic' && (
        <>
          <div className="pair">
            <Field label={text.hooks.header} error={refused?.of('authentication/header')}>
              {(ids) => <input {...ids} {...bind('header')} className="mono" required spellCheck={false} />}
            </Field>
            <Field label={text.hooks.prefix} optional={text.optional}>
              {(ids) => <input {...ids} {...bind('prefix')} className="mono" spellCheck={false} />}
            </Field>
          </div>
          <div className="pair">
            <Field label={text.hooks.algorithm}>
              {(ids) => (
                <select {...ids} {...bind('algorithm')}>
                  <option>sha256</option>
                  <option>sha512</option>
                </select>
              )}
            </Field>
            <Field label={text.hooks.encoding}>
              {(ids) => (
                <select {...ids} {...bind('encoding')}>
                  <option>hex</option>
                  <option>base64</option>
                </select>
              )}
            </Field>
          </div>
          <Field
            label={text.hooks.timestampHeader}
            optional={text.optional}
            error={refused?.of('authentication/timestamp_header')}
          >
            {(ids) => <input {...ids} {...bind('timestamp')} className="mono" spellCheck={false} />}
          </Field>
        </>
      )}
      {draft.way === 'basic' && (
        <Field label={text.hooks.username} error={refused?.of('authentication/username')}>
          {(ids) => <input {...ids} {...bind('username')} className="mono" required spellCheck={false} />}
        </Field>
      )}
      {hasSecret(draft.way) && (
        <Field
          label={text.hooks.secret}
          optional={text.optional}
          hint={text.hooks.secretHint}
          error={refused?.of('secret')}
        >
          {(ids) => <input {...ids} {...bind('secret')} type="password" autoComplete="off" />}
        </Field>
      )}
      <Field label={text.hooks.deduplicate} optional={text.optional} error={refused?.of('deduplication')}>
        {(ids) => <input {...ids} {...bind('repeat')} className="mono" spellCheck={false} />}
      </Field>
      <div className="pair">
        <Field label={text.hooks.input}>
          {(ids) => (
            <select {...ids} {...bind('input')}>
              {INPUTS.map((mode) => (
                <option key={mode} value={mode}>
                  {text.hooks.inputs[mode]}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={text.hooks.response}>
          {(ids) => (
            <select {...ids} {...bind('response')}>
              {RESPONSES.map((mode) => (
                <option key={mode} value={mode}>
                  {text.hooks.responses[mode]}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <p className="muted hint">{text.hooks.permissionsHint}</p>
      <PermissionEditor
        value={permissions}
        onChange={setPermissions}
        reach=""
        error={refused?.of('permissions')}
      />
      {create.error && <Failure error={create.error} />}
      <Equivalent
        method="POST"
        path="/api/v1/hooks"
        body={{ ...body, ...(body.secret && { secret: '…' }) }}
        cli={commandOf(body, draft.way)}
      />
      <footer>
        <Button
          look="primary"
          type="submit"
          busy={create.isPending}
          reason={methods.length === 0 ? text.hooks.methods : undefined}
        >
          {text.hooks.create}
        </Button>
      </footer>
    </form>
  )
}

export function hasSecret(way: Way): boolean {
  return way !== 'token' && way !== 'none'
}

/** The way of a hook that is there. */
export function wayOf({ kind, preset }: Hook['authentication']): Way {
  return kind === 'hmac' ? (preset ?? 'generic') : kind
}

function authenticationOf(draft: typeof blank): New['authentication'] {
  switch (draft.way) {
    case 'token':
    case 'none':
      return { kind: draft.way }
    case 'basic':
      return { kind: 'basic', username: draft.username.trim() }
    case 'generic':
      return {
        kind: 'hmac',
        preset: 'generic',
        header: draft.header.trim(),
        algorithm: draft.algorithm,
        encoding: draft.encoding,
        ...(draft.prefix && { prefix: draft.prefix }),
        ...(draft.timestamp.trim() && { timestamp_header: draft.timestamp.trim() }),
      }
    default:
      return { kind: 'hmac', preset: draft.way }
  }
}

function bodyOf(draft: typeof blank, methods: New['methods'], permissions: string[]): New {
  const header = draft.repeat.trim()
  return {
    path: draft.path.trim(),
    target: { function: draft.target.trim() },
    methods: methods ?? ['POST'],
    authentication: authenticationOf(draft),
    input: { mode: draft.input },
    response: draft.response,
    ...(draft.description.trim() && { description: draft.description.trim() }),
    ...(permissions.length > 0 && { permissions }),
    ...(hasSecret(draft.way) && draft.secret && { secret: draft.secret }),
    ...(header && { deduplication: { header } }),
  } as New
}

function commandOf(body: New, way: Way): string {
  const by = body.authentication
  return command(
    'safeconduct hooks create',
    quoted(body.path || '<path>'),
    flag('function', body.target.function || '<function>'),
    flag('auth', by.kind),
    by.kind === 'hmac' && flag('preset', by.preset),
    flag('username', by.username),
    way === 'generic' && flag('signature-header', by.header),
    way === 'generic' && flag('algorithm', by.algorithm),
    way === 'generic' && flag('encoding', by.encoding),
    flag('prefix', by.prefix),
    flag('timestamp-header', by.timestamp_header),
    body.secret !== undefined && '--secret-file secret.txt',
    flags('method', body.methods),
    flag('description', body.description),
    body.permissions && flags('permission', body.permissions),
    flag('input', body.input?.mode),
    flag('response', body.response),
    flag('deduplicate-by', body.deduplication?.header),
  )
}
