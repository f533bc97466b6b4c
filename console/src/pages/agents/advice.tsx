import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { queries } from '../../api/queries'
import type { Agent } from '../../api/types'
import { command, Equivalent, flag } from '../../components/equivalent'
import { useText } from '../../text'
import { CodeBlock } from '../../ui/copy'
import { Field } from '../../ui/form'
import { shown } from '../../ui/name'
import { Empty, Failure, Section, Skeleton } from '../../ui/page'
import { Time } from '../../ui/time'

const spans = ['7', '30', '90']

/** What the agent was given and does not use, and the least that covers what it does use. */
export function Advice({ of: agent }: { of: Agent }) {
  const text = useText()
  const [days, setDays] = useState('30')
  const advice = useQuery(queries.accessAdvice(agent.id, Number(days)))
  const name = `${agent.namespace}:${agent.name}`
  const found = advice.data
  return (
    <>
      <div className="asking">
        <Field label={text.policies.days}>
          {(ids) => (
            <select {...ids} value={days} onChange={(event) => setDays(event.target.value)}>
              {spans.map((span) => (
                <option key={span} value={span}>
                  {text.days(Number(span))}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      {advice.isPending && <Skeleton lines={4} />}
      {advice.error && <Failure error={advice.error} onRetry={() => void advice.refetch()} />}
      {found && found.granted.length === 0 && <Empty icon="key" title={text.advice.nothingGranted} />}
      {found && found.granted.length > 0 && (
        <>
          <div className="columns">
            <Section title={text.advice.unused}>
              {found.unused.length === 0 ? (
                <p className="muted">{text.advice.allUsed}</p>
              ) : (
                <CodeBlock code={found.unused.join('\n')} label={text.advice.unused} />
              )}
            </Section>
            <Section title={text.advice.suggested}>
              {found.suggested.length === 0 ? (
                <p className="muted">{text.advice.nothingUsed}</p>
              ) : (
                <CodeBlock code={found.suggested.join('\n')} label={text.advice.suggested} />
              )}
            </Section>
          </div>
          <Section title={text.advice.used}>
            {found.used.length === 0 ? (
              <p className="muted">{text.advice.nothingUsed}</p>
            ) : (
              <div className="listing">
                <table>
                  <caption className="visually-hidden">{text.advice.used}</caption>
                  <thead>
                    <tr>
                      <th scope="col">{text.policies.permission}</th>
                      <th scope="col" className="wide">
                        {text.policies.resource}
                      </th>
                      <th scope="col" className="right">
                        {text.advice.count}
                      </th>
                      <th scope="col" className="right">
                        {text.credentials.lastUsed}
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {found.used.map((use) => (
                      <tr key={`${use.permission} ${use.selector} ${use.reach}`}>
                        <td className="mono">{use.permission}</td>
                        <td className="mono wide">{shown(use.selector) || '–'}</td>
                        <td className="mono right">{use.count}</td>
                        <td className="right">
                          <Time at={use.last_at} />
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
          </Section>
          <Equivalent
            method="GET"
            path={`/api/v1/agents/${agent.id}/access-advice?days=${days}`}
            cli={command('safeconduct permissions advice', name, flag('days', days))}
          />
        </>
      )}
    </>
  )
}
