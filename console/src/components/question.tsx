import { type FormEvent, useState } from 'react'
import { answered, api } from '../api/client'
import { Problem } from '../api/problem'
import type { Body, Run, WholeRun } from '../api/types'
import { ANSWER, answerForm, answerText } from '../forms/answer'
import { SchemaFields } from '../forms/schema'
import type { Typed } from '../forms/settings'
import { useChange } from '../hooks/change'
import { useReason } from '../hooks/rights'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Name } from '../ui/name'
import { Failure, Section } from '../ui/page'
import { Time } from '../ui/time'
import { command, Equivalent, flag } from './equivalent'

/** What a run asks, with a form for the answer; nothing for a run that asks nothing. */
export function Question({ of: run }: { of: WholeRun }) {
  // A later question is another form: nothing typed for one is sent to the next.
  return run.question ? <Form key={`${run.id} ${run.question.number}`} of={run} asked={run.question} /> : null
}

function Form({ of: run, asked }: { of: WholeRun; asked: NonNullable<WholeRun['question']> }) {
  const text = useText()
  const [typed, setTyped] = useState<Typed>({})
  const form = answerForm(asked.schema)
  const answer = answerText(form, typed)
  const path = `/api/v1/runs/${run.id}/continue`
  const body = `{"input":${answer ?? 'null'},"question":${asked.number}}`
  const change = useChange(
    (sent: string, key): Promise<Run> =>
      answered(
        api.POST('/api/v1/runs/{run}/continue', {
          body: {} as Body<'runs.continue'>,
          // What was typed, as it was typed: read and written again, its numbers might be others.
          bodySerializer: () => sent,
          params: { path: { run: run.id }, header: { 'Idempotency-Key': key } },
        }),
      ),
  )
  const mayAnswer = useReason('runs:continue', { of: { selector: run.id, owner: run.principal.id } })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (answer !== undefined && mayAnswer === undefined) change.mutate(body)
  }
  const problem = change.error instanceof Problem ? change.error : undefined
  const refused = (name: string) =>
    form.whole === undefined ? problem?.in('input', name) : name === ANSWER ? problem?.of('input') : undefined
  return (
    <Section title={text.questions.asksNth(asked.number)}>
      <form className="form" onSubmit={submit}>
        <p>
          <strong>
            <Name of={asked.prompt} as="lines" />
          </strong>
        </p>
        <p className="muted">
          {text.questions.detail} {text.questions.until} <Time at={asked.expires_at} />
        </p>
        <SchemaFields schema={form.schema} typed={typed} refused={refused} onChange={setTyped} />
        {change.error && <Failure error={change.error} />}
        <Equivalent
          method="POST"
          path={path}
          sent={body}
          cli={command(`safeconduct runs answer ${run.id}`, flag('input', answer ?? 'null'))}
        />
        <footer>
          <Button
            type="submit"
            look="primary"
            icon="check"
            busy={change.isPending}
            reason={answer === undefined ? text.questions.notAnswer : mayAnswer}
          >
            {text.questions.send}
          </Button>
        </footer>
      </form>
    </Section>
  )
}
