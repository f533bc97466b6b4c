import { type FormEvent, useState } from 'react'
import { answered, api } from '../../api/client'
import { compact, isJson } from '../../api/json-text'
import { Problem } from '../../api/problem'
import type { Body, Hook } from '../../api/types'
import { command, Equivalent, flag } from '../../components/equivalent'
import { Chip } from '../../components/identity'
import { useChange } from '../../hooks/change'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { CodeBlock } from '../../ui/copy'
import { Field } from '../../ui/form'
import { Failure, Properties } from '../../ui/page'
import { Status } from '../../ui/status'

type Trial = Body<'hooks.try'>

/** What a delivery would come to: nothing is run, kept or counted. */
export function TryForm({ of: hook }: { of: Hook }) {
  const text = useText()
  const [body, setBody] = useState('{}')
  const [headers, setHeaders] = useState('')
  const fits = body.trim() === '' || isJson(body)
  const trial: Trial = {
    ...(fits && body.trim() !== '' && { body: JSON.parse(body) }),
    ...(headers.trim() !== '' && { headers: headersOf(headers) }),
  }
  const attempt = useChange(() =>
    answered(api.POST('/api/v1/hooks/{hook}/try', { body: trial, params: { path: { hook: hook.id } } })),
  )
  const refused = attempt.error instanceof Problem ? attempt.error : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (fits) attempt.mutate(undefined)
  }
  const tried = attempt.data
  return (
    <form className="form" onSubmit={submit}>
      <p>{text.hooks.tryDetail}</p>
      <Field label={text.hooks.body} error={fits ? refused?.of('body') : text.notJson}>
        {(ids) => (
          <textarea
            {...ids}
            className="mono"
            rows={6}
            spellCheck={false}
            value={body}
            onChange={(event) => setBody(event.target.value)}
          />
        )}
      </Field>
      <Field
        label={text.hooks.headers}
        optional={text.optional}
        hint={text.hooks.headersHint}
        error={refused?.of('headers')}
      >
        {(ids) => (
          <textarea
            {...ids}
            className="mono"
            rows={2}
            spellCheck={false}
            value={headers}
            onChange={(event) => setHeaders(event.target.value)}
          />
        )}
      </Field>
      {attempt.error && <Failure error={attempt.error} />}
      <div aria-live="polite">
        {tried && (
          <>
            <Properties
              of={[
                [
                  text.hooks.outcome,
                  <Status key="o" of={tried.outcome} label={text.hooks.outcomes[tried.outcome]} />,
                ],
                [text.hooks.route, tried.route ?? text.noneGiven],
                ...tried.declined.map(({ route, test }): [string, string] => [
                  text.hooks.declined(route),
                  text.hooks.byTest(test),
                ]),
                ...(tried.misfits ?? []).map(({ field, reason }): [string, string] => [field, reason]),
                ...(tried.repeat_of
                  ? [
                      [
                        text.hooks.outcomes.duplicate,
                        <Chip key="r" of={{ kind: 'run', id: tried.repeat_of }} />,
                      ] as [string, React.ReactNode],
                    ]
                  : []),
              ]}
            />
            {tried.outcome !== 'ignored' && (
              <CodeBlock code={JSON.stringify(tried.input, null, 2)} label={text.hooks.input} wrap />
            )}
          </>
        )}
      </div>
      <Equivalent
        method="POST"
        path={`/api/v1/hooks/${hook.id}/try`}
        body={trial}
        cli={command(
          'safeconduct hooks try',
          hook.id,
          fits && body.trim() !== '' && flag('body', compact(body)),
          ...linesOf(headers).map((line) => flag('header', line)),
        )}
      />
      <footer>
        <Button
          look="primary"
          type="submit"
          busy={attempt.isPending}
          reason={fits ? undefined : text.notJson}
        >
          {text.hooks.tryTitle}
        </Button>
      </footer>
    </form>
  )
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
}

/** `Name: value`, one a line. */
function headersOf(text: string): Record<string, string> {
  return Object.fromEntries(
    linesOf(text).map((line) => {
      const colon = line.indexOf(':')
      return colon < 0 ? [line, ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
    }),
  )
}
