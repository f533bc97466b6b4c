import { useMutation, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { answered, api } from '../../api/client'
import { queries } from '../../api/queries'
import type { Body } from '../../api/types'
import { command, Equivalent, flag } from '../../components/equivalent'
import { type Principal, PrincipalField } from '../../components/principal-field'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Field } from '../../ui/form'
import { Name } from '../../ui/name'
import { Failure, Properties, Section } from '../../ui/page'
import { Status } from '../../ui/status'

/** Whether somebody may do something to something: the server's own decision, permissions and policies together. */
export function Check() {
  const text = useText()
  const catalogue = useQuery(queries.catalogue()).data
  const [subject, setSubject] = useState<Principal>()
  const [resource, setResource] = useState('agents')
  const [action, setAction] = useState('read')
  const [object, setObject] = useState('')
  const [owner, setOwner] = useState<Principal>()
  const actions = catalogue?.items.find((item) => item.resource === resource)?.actions ?? [action]
  const single = actions.filter((name) => !['*', 'manage', 'write'].includes(name))
  const chosen = single.includes(action) ? action : (single[0] ?? action)
  const selector = object.trim()
  const body = {
    principal: subject?.id ?? '',
    permission: `${resource}:${chosen}`,
    ...((selector || owner) && {
      resource: { ...(selector && { selector }), ...(owner && { attributes: { owner: owner.id } }) },
    }),
  }
  const mayAsk = useReason('policies:read')
  const ask = useMutation({
    mutationFn: () =>
      answered(api.POST('/api/v1/policies/simulate', { body: body as unknown as Body<'policies.simulate'> })),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    ask.mutate()
  }
  return (
    <div className="columns">
      <form className="form" onSubmit={submit}>
        <p className="muted">{text.access.checkDetail}</p>
        <PrincipalField
          label={text.access.subject}
          kinds={['user', 'agent']}
          chosen={subject}
          onChoose={(chosen) => {
            setSubject(chosen)
            ask.reset()
          }}
        />
        <div className="pair">
          <Field label={text.access.resource}>
            {(ids) => (
              <select
                {...ids}
                value={resource}
                onChange={(event) => {
                  setResource(event.target.value)
                  ask.reset()
                }}
              >
                {(catalogue?.items ?? [{ resource }]).map((item) => (
                  <option key={item.resource}>{item.resource}</option>
                ))}
              </select>
            )}
          </Field>
          <Field label={text.access.action}>
            {(ids) => (
              <select
                {...ids}
                value={chosen}
                onChange={(event) => {
                  setAction(event.target.value)
                  ask.reset()
                }}
              >
                {single.map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            )}
          </Field>
        </div>
        <Field label={text.access.object} optional={text.optional} hint={text.access.objectHint}>
          {(ids) => (
            <input
              {...ids}
              className="mono"
              spellCheck={false}
              placeholder="ops/triage"
              value={object}
              onChange={(event) => {
                setObject(event.target.value)
                ask.reset()
              }}
            />
          )}
        </Field>
        <PrincipalField
          label={text.access.whose}
          kinds={['user', 'group']}
          optional={text.optional}
          hint={text.access.whoseHint}
          chosen={owner}
          onChoose={(chosen) => {
            setOwner(chosen)
            ask.reset()
          }}
        />
        {ask.error && <Failure error={ask.error} />}
        <Equivalent
          method="POST"
          path="/api/v1/policies/simulate"
          body={body}
          cli={command(
            'safeconduct policies simulate',
            body.permission,
            flag('as', subject?.id ?? '<id>'),
            flag('resource', selector),
            flag('attribute', owner && `owner=${owner.id}`),
          )}
        />
        <footer>
          <Button
            look="primary"
            type="submit"
            busy={ask.isPending}
            reason={mayAsk ?? (subject ? undefined : text.access.choosePrincipal)}
          >
            {text.access.ask}
          </Button>
        </footer>
      </form>
      {ask.data && subject && (
        <Section title={text.access.answer}>
          <p>
            <Status of={ask.data.allowed ? 'allowed' : 'denied'} />
          </p>
          <Properties
            of={[
              [text.access.byPermissions, ask.data.permitted ? text.orgs.yes : text.orgs.no],
              [text.access.byPolicies, text.access.outcomes[ask.data.outcome]],
              ...(ask.data.reasons.length > 0
                ? [[text.access.why, ask.data.reasons.join(' ')] as [string, string]]
                : []),
              ...(ask.data.approvers.length > 0
                ? [[text.access.approvers, ask.data.approvers.join(', ')] as [string, string]]
                : []),
            ]}
          />
          <p>
            <Link
              to={subject.kind === 'user' ? paths.member(subject.id) : paths.agent(subject.id)}
              search={{ tab: 'access' }}
            >
              <Name of={text.access.whatHolds(subject.name)} />
            </Link>
          </p>
        </Section>
      )}
    </div>
  )
}
