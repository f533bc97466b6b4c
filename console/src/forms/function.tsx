import { type FormEvent, useState } from 'react'
import { Problem } from '../api/problem'
import type { Body, EgressRule, Fn } from '../api/types'
import { command, Equivalent, flag } from '../components/equivalent'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Editor } from '../ui/editor'
import { Field } from '../ui/form'
import { Failure } from '../ui/page'
import { EgressField } from './egress'
import { draftsOf, type RuleDraft, rulesOf, shownRule } from './egress-rules'

export const sample = `def handler(input, context):
    """Doubles a number and says so in the log."""
    number = input["n"]
    print("doubling", number)
    return {"twice": number * 2}
`

type Version = Body<'functions.publish'>
type New = Body<'functions.create'>

interface FunctionFormProps {
  /** Publishes a new version of this one; makes a new function without it. */
  of?: Fn
  /** Why it can't be saved. */
  reason: string | undefined
  busy: boolean
  error: unknown
  onSubmit: (body: New | Version) => void
}

/** Code on the left, what surrounds it on the right. Versions are immutable: saving makes the next one. */
export function FunctionForm({ of: fn, reason, busy, error, onSubmit }: FunctionFormProps) {
  const text = useText()
  const [fields, setFields] = useState(() => initial(fn))
  const [rules, setRules] = useState(() => draftsOf(fn?.version.egress ?? []))
  const refused = error instanceof Problem ? error : undefined
  const input = schema(fields.input_schema)
  const output = schema(fields.output_schema)
  const body = bodyOf(fields, rules, fn)
  const fits = rulesOf(rules) !== undefined
  const set = (name: keyof typeof fields) => (event: { target: { value: string } }) =>
    setFields({ ...fields, [name]: event.target.value })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onSubmit(body)
  }
  const ref = fn ? `${fn.namespace}:${fn.name}` : `${fields.namespace}:${fields.name || '<name>'}`
  return (
    <form className="form workbench" onSubmit={submit}>
      <div>
        <Field label={text.functions.code} error={refused?.of('code')}>
          {({ id }) => (
            <Editor
              id={id}
              label={text.functions.code}
              value={fields.code}
              onChange={(code) => setFields({ ...fields, code })}
              wrongLines={wrongLines(refused)}
              rows={24}
            />
          )}
        </Field>
      </div>
      <div>
        {!fn && (
          <div className="pair">
            <Field label={text.agents.namespace} error={refused?.of('namespace')}>
              {(ids) => (
                <input
                  {...ids}
                  className="mono"
                  required
                  spellCheck={false}
                  value={fields.namespace}
                  onChange={set('namespace')}
                />
              )}
            </Field>
            <Field label={text.agents.name} error={refused?.of('name')}>
              {(ids) => (
                <input
                  {...ids}
                  className="mono"
                  required
                  spellCheck={false}
                  pattern="[a-zA-Z_][a-zA-Z0-9_]*"
                  value={fields.name}
                  onChange={set('name')}
                />
              )}
            </Field>
          </div>
        )}
        {!fn && (
          <Field label={text.description} optional={text.optional} error={refused?.of('description')}>
            {(ids) => <input {...ids} value={fields.description} onChange={set('description')} />}
          </Field>
        )}
        <div className="pair">
          <Field
            label={text.functions.timeout}
            hint={fn ? undefined : text.functions.timeoutHint}
            error={refused?.of('timeout_seconds')}
          >
            {(ids) => (
              <input
                {...ids}
                type="number"
                min={1}
                placeholder={fn ? undefined : '300'}
                value={fields.timeout_seconds}
                onChange={set('timeout_seconds')}
              />
            )}
          </Field>
          <Field
            label={text.functions.memory}
            hint={fn ? undefined : text.functions.memoryHint}
            error={refused?.of('memory_mb')}
          >
            {(ids) => (
              <input
                {...ids}
                type="number"
                min={16}
                placeholder={fn ? undefined : '512'}
                value={fields.memory_mb}
                onChange={set('memory_mb')}
              />
            )}
          </Field>
        </div>
        <div className="pair">
          <Field
            label={text.queues.attempts}
            optional={text.optional}
            hint={text.queues.attemptsHint}
            error={refused?.in('retry', 'max_attempts') ?? refused?.of('retry')}
          >
            {(ids) => (
              <input
                {...ids}
                type="number"
                min={1}
                max={20}
                value={fields.attempts}
                onChange={set('attempts')}
              />
            )}
          </Field>
          <Field
            label={text.queues.atATime}
            optional={text.optional}
            hint={text.queues.atATimeHint}
            error={refused?.of('concurrency')}
          >
            {(ids) => (
              <input
                {...ids}
                type="number"
                min={0}
                max={10_000}
                value={fields.concurrency}
                onChange={set('concurrency')}
              />
            )}
          </Field>
        </div>
        <Field label={text.queues.mode} hint={text.queues.modeHint} error={refused?.of('mode')}>
          {(ids) => (
            <select {...ids} value={fields.mode} onChange={set('mode')}>
              <option value="fork">{text.queues.modes.fork}</option>
              <option value="cold">{text.queues.modes.cold}</option>
            </select>
          )}
        </Field>
        <div className="pair">
          <Field
            label={text.queues.rate}
            optional={text.optional}
            hint={text.queues.rateHint}
            error={refused?.in('rate', 'starts') ?? refused?.of('rate')}
          >
            {(ids) => (
              <input
                {...ids}
                type="number"
                min={0}
                max={10_000}
                value={fields.starts}
                onChange={set('starts')}
              />
            )}
          </Field>
          <Field
            label={text.queues.perSeconds}
            optional={text.optional}
            hint={text.queues.perSecondsHint}
            error={refused?.in('rate', 'per_seconds')}
          >
            {(ids) => (
              <input
                {...ids}
                type="number"
                min={1}
                max={86_400}
                value={fields.per_seconds}
                onChange={set('per_seconds')}
              />
            )}
          </Field>
        </div>
        {Number(fields.attempts) > 1 && (
          <Field
            label={text.queues.wait}
            hint={text.queues.waitHint}
            error={refused?.in('retry', 'initial_seconds')}
          >
            {(ids) => (
              <input
                {...ids}
                type="number"
                min={0}
                max={3600}
                value={fields.wait_seconds}
                onChange={set('wait_seconds')}
              />
            )}
          </Field>
        )}
        <Field
          label={text.functions.inputSchema}
          optional={text.optional}
          hint={text.functions.schemaHint}
          error={refused?.of('input_schema') ?? (input === 'wrong' ? text.notJson : undefined)}
        >
          {(ids) => (
            <textarea
              {...ids}
              className="mono"
              rows={4}
              spellCheck={false}
              value={fields.input_schema}
              onChange={set('input_schema')}
            />
          )}
        </Field>
        <Field
          label={text.functions.outputSchema}
          optional={text.optional}
          error={refused?.of('output_schema') ?? (output === 'wrong' ? text.notJson : undefined)}
        >
          {(ids) => (
            <textarea
              {...ids}
              className="mono"
              rows={4}
              spellCheck={false}
              value={fields.output_schema}
              onChange={set('output_schema')}
            />
          )}
        </Field>
        <Field
          label={text.agents.permissions}
          optional={text.optional}
          hint={text.functions.permissionsHint}
          error={refused?.of('permissions')}
        >
          {(ids) => (
            <input
              {...ids}
              className="mono"
              spellCheck={false}
              value={fields.permissions}
              onChange={set('permissions')}
            />
          )}
        </Field>
        <Field
          label={text.packages.requirements}
          optional={text.optional}
          hint={text.packages.requirementsHint}
          error={wrongRequirements(refused)}
        >
          {(ids) => (
            <textarea
              {...ids}
              className="mono"
              rows={3}
              spellCheck={false}
              value={fields.requirements}
              onChange={set('requirements')}
            />
          )}
        </Field>
        <Field
          label={text.egress.secrets}
          optional={text.optional}
          hint={text.egress.secretsHint}
          error={refused?.of('secrets')}
        >
          {(ids) => (
            <input
              {...ids}
              className="mono"
              spellCheck={false}
              value={fields.secrets}
              onChange={set('secrets')}
            />
          )}
        </Field>
        <EgressField
          value={rules}
          onChange={setRules}
          error={fits ? refused?.of('egress') : text.egress.wrong}
        />
        {error !== null && error !== undefined && <Failure error={error} />}
        <Equivalent
          method="POST"
          path={fn ? `/api/v1/functions/${fn.id}/versions` : '/api/v1/functions'}
          body={{ ...body, code: '…' }}
          cli={
            hasOwnLongestWait(body)
              ? undefined
              : command(
                  'safeconduct functions push handler.py',
                  flag('name', ref),
                  !fn && flag('description', fields.description.trim()),
                  flag('timeout', body.timeout_seconds),
                  flag('memory', body.memory_mb),
                  flag('attempts', body.retry?.max_attempts),
                  flag('retry-wait', body.retry?.initial_seconds),
                  flag('concurrency', body.concurrency),
                  flag('mode', body.mode ?? undefined),
                  flag('rate', rateFlag(body.rate)),
                  fields.input_schema !== '' && '--input-schema input.json',
                  fields.output_schema !== '' && '--output-schema output.json',
                  ...(body.permissions ?? []).map((permission) => flag('permission', permission)),
                  ...(body.secrets ?? []).map((secret) => flag('secret', secret)),
                  body.secrets?.length === 0 && '--no-secrets',
                  ...(body.egress ?? []).map((rule) => flag('egress', shownRule(rule as EgressRule))),
                  body.egress?.length === 0 && '--no-egress',
                  ...requireFlags(body.requirements),
                )
          }
        />
        <footer>
          <Button
            type="submit"
            look="primary"
            busy={busy}
            reason={
              reason ??
              (input === 'wrong' || output === 'wrong' ? text.notJson : fits ? undefined : text.egress.wrong)
            }
          >
            {fn ? text.functions.publish : text.functions.create}
          </Button>
        </footer>
      </div>
    </form>
  )
}

function initial(fn: Fn | undefined) {
  const pretty = (schema: unknown) => (schema ? JSON.stringify(schema, null, 2) : '')
  return {
    namespace: fn?.namespace ?? 'default',
    name: fn?.name ?? '',
    description: fn?.description ?? '',
    code: fn?.version.code ?? sample,
    timeout_seconds: String(fn?.version.timeout_seconds ?? ''),
    memory_mb: String(fn?.version.memory_mb ?? ''),
    attempts: String(fn?.version.retry?.max_attempts ?? ''),
    wait_seconds: String(fn?.version.retry?.initial_seconds ?? ''),
    concurrency: String(fn?.version.concurrency ?? ''),
    mode: fn?.version.mode ?? 'fork',
    starts: String(fn?.version.rate?.starts ?? ''),
    per_seconds: String(fn?.version.rate?.per_seconds ?? ''),
    input_schema: pretty(fn?.version.input_schema),
    output_schema: pretty(fn?.version.output_schema),
    permissions: (fn?.version.permissions ?? []).join(' '),
    secrets: (fn?.version.secrets ?? []).join(' '),
    requirements: (fn?.version.requirements ?? []).join('\n'),
  }
}

function bodyOf(fields: ReturnType<typeof initial>, drafts: RuleDraft[], fn: Fn | undefined): New | Version {
  const input = schema(fields.input_schema)
  const output = schema(fields.output_schema)
  const permissions = fields.permissions.split(/[\s,]+/).filter(Boolean)
  const secrets = fields.secrets.split(/[\s,]+/).filter(Boolean)
  const egress = rulesOf(drafts)
  const requirements = fields.requirements
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
  const version = {
    code: fields.code,
    // What is left empty is the server's to choose: its own limits, or those of the version before.
    ...(fields.timeout_seconds !== '' && { timeout_seconds: Number(fields.timeout_seconds) }),
    ...(fields.memory_mb !== '' && { memory_mb: Number(fields.memory_mb) }),
    ...(fields.attempts !== '' && { retry: retryOf(fields, fn) }),
    ...(fields.concurrency !== '' && { concurrency: Number(fields.concurrency) }),
    ...(fields.mode !== (fn?.version.mode ?? 'fork') && { mode: fields.mode }),
    ...(fields.starts !== '' && { rate: rateOf(fields) }),
    ...(input !== undefined && { input_schema: input }),
    ...(output !== undefined && { output_schema: output }),
    ...(permissions.length > 0 && { permissions }),
    // An empty list takes away what the version before has.
    ...((secrets.length > 0 || (fn?.version.secrets.length ?? 0) > 0) && { secrets }),
    ...(egress && (egress.length > 0 || (fn?.version.egress.length ?? 0) > 0) && { egress }),
    // The same as before keep their lock, so saying them again changes nothing.
    ...(requirements.join('\n') !== (fn?.version.requirements ?? []).join('\n') && { requirements }),
  }
  if (fn) return version as Version
  const description = fields.description.trim()
  return {
    namespace: fields.namespace,
    name: fields.name,
    runtime: 'python',
    ...(description && { description }),
    ...version,
  } as New
}

function rateOf(fields: ReturnType<typeof initial>) {
  const starts = Number(fields.starts)
  return {
    starts,
    ...(starts > 0 && fields.per_seconds !== '' && { per_seconds: Number(fields.per_seconds) }),
  }
}

/** As the command line writes it. */
function rateFlag(rate: (New | Version)['rate']) {
  if (!rate) return undefined
  return rate.starts === 0 ? 0 : `${rate.starts}/${rate.per_seconds ?? 60}s`
}

/** The longest wait has no field here; what the version before says of it stays. */
function retryOf(fields: ReturnType<typeof initial>, fn: Fn | undefined) {
  const max_attempts = Number(fields.attempts)
  if (max_attempts <= 1) return { max_attempts }
  const longest = fn?.version.retry?.max_seconds
  return {
    max_attempts,
    ...(fields.wait_seconds !== '' && { initial_seconds: Number(fields.wait_seconds) }),
    ...(longest !== undefined && { max_seconds: longest }),
  }
}

/** Another than what the command sends, which has no flag for it. */
function hasOwnLongestWait({ retry }: New | Version): boolean {
  return retry?.max_seconds !== undefined && retry.max_seconds !== 300
}

/** A JSON value, undefined when nothing was typed, `wrong` while it can't be read. */
function schema(text: string): unknown {
  if (text.trim() === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return 'wrong'
  }
}

/** None at all is said by an empty one. */
function requireFlags(requirements: string[] | null | undefined) {
  if (!requirements) return []
  return requirements.length > 0 ? requirements.map((one) => flag('require', one)) : ["--require ''"]
}

function wrongRequirements(problem: Problem | undefined): string | undefined {
  const wrong = problem?.errors.filter(({ field }) => field.startsWith('/requirements'))
  return wrong?.length ? wrong.map(({ reason }) => reason).join(' · ') : undefined
}

/** The line that a refused syntax names. */
function wrongLines(problem: Problem | undefined): number[] {
  const line = problem?.code === 'syntax_error' ? problem.members.line : undefined
  return typeof line === 'number' ? [line] : []
}
