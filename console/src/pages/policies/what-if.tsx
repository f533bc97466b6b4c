import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { answered, api } from '../../api/client'
import type { Body, WhatIf as Found } from '../../api/types'
import { command, Equivalent, flag, quoted } from '../../components/equivalent'
import { Chip } from '../../components/identity'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { CodeBlock } from '../../ui/copy'
import { Field } from '../../ui/form'
import { Icon } from '../../ui/icon'
import { Failure } from '../../ui/page'
import { Status } from '../../ui/status'
import { Time } from '../../ui/time'
import { principalOf } from './principal'
import type { Asked } from './simulator'

/** What would have been decided otherwise: recorded decisions, put to a version or a draft. */
export function WhatIf({ policy, bundle, files = [] }: Asked) {
  const text = useText()
  const [days, setDays] = useState('7')
  const replay = useMutation({
    mutationFn: (body: Body<'policies.what_if'>) => answered(api.POST('/api/v1/policies/what-if', { body })),
  })
  const body = { days: Number(days), ...(policy && { policy }), ...(bundle && { bundle }) }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    replay.mutate(body)
  }
  return (
    <div className="simulator">
      <form className="form" onSubmit={submit} aria-label={text.policies.whatIf}>
        <p className="muted">{text.policies.whatIfDetail}</p>
        <Field label={text.policies.days}>
          {(ids) => (
            <input
              {...ids}
              type="number"
              min={1}
              max={366}
              required
              value={days}
              onChange={(event) => setDays(event.target.value)}
            />
          )}
        </Field>
        {replay.error && <Failure error={replay.error} />}
        <Equivalent
          method="POST"
          path="/api/v1/policies/what-if"
          body={body}
          cli={command(
            'safeconduct policies what-if',
            ...files.map(quoted),
            flag('policy', policy),
            flag('days', days),
          )}
        />
        <footer>
          <Button type="submit" look="primary" busy={replay.isPending}>
            {text.policies.replay}
          </Button>
        </footer>
      </form>
      {replay.data && <Changes of={replay.data} />}
    </div>
  )
}

function Changes({ of: found }: { of: Found }) {
  const text = useText()
  if (found.examined === 0) {
    return (
      <section className="answer" aria-label={text.policies.changes} aria-live="polite">
        <p>{text.policies.nothingRecorded}</p>
        <CodeBlock code={'[decisions]\nrecord = "full"'} label={text.example} />
      </section>
    )
  }
  return (
    <section className="answer" aria-label={text.policies.changes} aria-live="polite">
      <p>
        <strong>{text.policies.changed(found.changed)}</strong>{' '}
        <span className="muted">
          {text.policies.examined(found.examined)}
          {found.more && ` ${text.policies.thereAreMore}`}
        </span>
      </p>
      <div className="listing">
        {found.items.length > 0 && (
          <table>
            <caption className="visually-hidden">{text.policies.changes}</caption>
            <thead>
              <tr>
                <th scope="col">{text.policies.answer}</th>
                <th scope="col">{text.policies.what}</th>
                <th scope="col" className="wide">
                  {text.runs.principal}
                </th>
                <th scope="col" className="wide right">
                  {text.audit.when}
                </th>
              </tr>
            </thead>
            <tbody>
              {found.items.map((change) => (
                <tr key={change.id}>
                  <td>
                    <span className="chain">
                      <Status of={change.before} />
                      <Icon name="arrow" />
                      <Status of={change.after} />
                    </span>
                  </td>
                  <td>
                    <span className="name">
                      <span className="mono">{change.operation}</span>
                      <span className="muted">
                        {change.object}{' '}
                        {[
                          ...change.reasons_after,
                          ...(change.reasons_after.length ? [] : change.reasons_before),
                        ].join('; ')}
                      </span>
                    </span>
                  </td>
                  <td className="wide">
                    <Chip of={principalOf(change.principal)} />
                  </td>
                  <td className="wide right">
                    <Time at={change.at} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </section>
  )
}
