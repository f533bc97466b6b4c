import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { answered, api } from '../../api/client'
import { compact, indented, isJson } from '../../api/json-text'
import { queries } from '../../api/queries'
import type { Body, Fn, Run } from '../../api/types'
import { command, Equivalent, flag } from '../../components/equivalent'
import { RunResult, useLiveRun } from '../../components/live-run'
import { useChange } from '../../hooks/change'
import { named, useReason } from '../../hooks/rights'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Editor } from '../../ui/editor'
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
    if (valid) execute.mutate(bodyOf(input))
  }
  const name = `${fn.namespace}:${fn.name}`
  const shown = valid ? compact(input) : input
  return (
    <div className="workbench">
      <Section title={text.runs.input}>
        <form className="form" onSubmit={submit}>
          <Editor label={text.runs.input} value={input} onChange={setInput} rows={8} />
          {execute.error && <Failure error={execute.error} />}
          <Equivalent
            method="POST"
            path={`/api/v1/functions/${fn.id}/execute`}
            sent={bodyOf(shown)}
            cli={command(`safeconduct functions run ${name}`, flag('input', shown))}
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

function bodyOf(input: string): string {
  return `{"input":${input}}`
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
