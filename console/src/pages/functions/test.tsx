import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type ComponentProps, type FormEvent, useState } from 'react'
import { answered, api } from '../../api/client'
import { compact, indented, isJson } from '../../api/json-text'
import { Problem } from '../../api/problem'
import { queries } from '../../api/queries'
import type { Body, Fn, Run } from '../../api/types'
import { command, Equivalent, flag } from '../../components/equivalent'
import { RunResult, useLiveRun } from '../../components/live-run'
import { useChange } from '../../hooks/change'
import { named, useReason } from '../../hooks/rights'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Editor } from '../../ui/editor'
import { Field } from '../../ui/form'
import { Empty, Failure, Section, Skeleton } from '../../ui/page'

interface TestRunProps {
  fn: Fn
  /** The run last started here; it is part of the address, so a reload still shows it. */
  run: string | undefined
}

/** What stands beside a result is what it came from: a run that the address names gives the input to start from. */
export function TestRun({ fn, run }: TestRunProps) {
  const [first] = useState(run)
  const begun = useQuery({ ...queries.run(first ?? ''), enabled: first !== undefined })
  if (first !== undefined && begun.isPending) return <Skeleton lines={6} />
  const start = begun.data?.input
  return (
    <Workbench
      fn={fn}
      run={run}
      start={start ? indented(start) : JSON.stringify(example(fn.version.input_schema), null, 2)}
    />
  )
}

function Workbench({ fn, run, start }: TestRunProps & { start: string }) {
  const text = useText()
  const navigate = useNavigate()
  const [input, setInput] = useState(start)
  const valid = isJson(input)
  const [order, setOrder] = useState(asked)
  const execute = useChange(
    (sent: string, key): Promise<Run> =>
      answered(
        api.POST('/api/v1/functions/{function}/execute', {
          body: {} as Body<'functions.execute'>,
          // What was typed, as it was typed: read and written again, its numbers might be others.
          bodySerializer: () => sent,
          params: { path: { function: fn.id }, header: { 'Idempotency-Key': key } },
          // Answered as soon as it is queued, so that the log can be followed from its first line.
          headers: { prefer: 'respond-async' },
        }),
      ) as Promise<Run>,
    (started) => void navigate({ to: '.', search: { tab: 'test', run: started.id }, replace: true }),
  )
  const mayRun = useReason('functions:execute', { of: named(fn) })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (valid) execute.mutate(bodyOf(input, order))
  }
  const name = `${fn.namespace}:${fn.name}`
  const shown = valid ? compact(input) : input
  return (
    <div className="workbench">
      <Section title={text.runs.input}>
        <form className="form" onSubmit={submit}>
          <Editor label={text.runs.input} value={input} onChange={setInput} rows={8} />
          <OrderFields
            of={order}
            refused={execute.error instanceof Problem ? execute.error : undefined}
            onChange={setOrder}
          />
          {execute.error && <Failure error={execute.error} />}
          <Equivalent
            method="POST"
            path={`/api/v1/functions/${fn.id}/execute`}
            sent={bodyOf(shown, order)}
            cli={command(
              `safeconduct functions run ${name}`,
              flag('input', shown),
              flag('priority', order.priority),
              order.delay_seconds !== '' && flag('delay', `${order.delay_seconds}s`),
              flag('deduplication-key', order.deduplication_key),
              flag('concurrency-key', order.concurrency_key),
            )}
          />
          <footer>
            <Button
              type="submit"
              look="primary"
              icon="run"
              busy={execute.isPending}
              reason={valid ? mayRun : text.notJson}
            >
              {text.functions.run}
            </Button>
          </footer>
        </form>
      </Section>
      <Section title={text.functions.result}>
        {run ? <Live of={run} /> : <Empty icon="run" title={text.functions.notRun} />}
      </Section>
    </div>
  )
}

function Live({ of: id }: { of: string }) {
  return <RunResult live={useLiveRun(id)} />
}

/** When a run begins and beside which others, as it was typed. */
type Order = Record<'priority' | 'delay_seconds' | 'deduplication_key' | 'concurrency_key', string>

const asked: Order = { priority: '', delay_seconds: '', deduplication_key: '', concurrency_key: '' }

interface OrderFieldsProps {
  of: Order
  refused: Problem | undefined
  onChange: (order: Order) => void
}

function OrderFields({ of: order, refused, onChange }: OrderFieldsProps) {
  const { queues } = useText()
  const field = (name: keyof Order, label: string, hint: string, more: ComponentProps<'input'>) => (
    <Field label={label} hint={hint} error={refused?.of(name)}>
      {(ids) => (
        <input
          {...ids}
          {...more}
          value={order[name]}
          onChange={(event) => onChange({ ...order, [name]: event.target.value })}
        />
      )}
    </Field>
  )
  const key = { className: 'mono', maxLength: 200, spellCheck: false, autoComplete: 'off' } as const
  return (
    <details className="further">
      <summary>{queues.options}</summary>
      <div className="pair">
        {field('priority', queues.priority, queues.priorityHint, { type: 'number', min: -100, max: 100 })}
        {field('delay_seconds', queues.delay, queues.delayHint, { type: 'number', min: 0, max: 2_592_000 })}
        {field('deduplication_key', queues.deduplicationKey, queues.deduplicationHint, key)}
        {field('concurrency_key', queues.concurrencyKey, queues.concurrencyHint, key)}
      </div>
    </details>
  )
}

function bodyOf(input: string, order: Order): string {
  const given = Object.entries({
    priority: order.priority !== '' && Number(order.priority),
    delay_seconds: order.delay_seconds !== '' && Number(order.delay_seconds),
    deduplication_key: order.deduplication_key !== '' && order.deduplication_key,
    concurrency_key: order.concurrency_key !== '' && order.concurrency_key,
  }).filter(([, value]) => value !== false)
  return `{"input":${input}${given.map(([name, value]) => `,"${name}":${JSON.stringify(value)}`).join('')}}`
}

interface Schema {
  type?: string
  properties?: Record<string, Schema>
  default?: unknown
  examples?: unknown[]
}

/** Something of the schema's shape to start from; `{}` where it says nothing. */
function example(schema: unknown): unknown {
  const { type, properties, default: other, examples } = (schema ?? { type: 'object' }) as Schema
  if (examples?.length) return examples[0]
  if (other !== undefined) return other
  switch (type) {
    case 'string':
      return ''
    case 'integer':
    case 'number':
      return 0
    case 'boolean':
      return false
    case 'array':
      return []
    default:
      return Object.fromEntries(
        Object.entries(properties ?? {}).map(([name, inner]) => [name, example(inner)]),
      )
  }
}
