import { useQueryClient } from '@tanstack/react-query'
import { answered, api } from '../api/client'
import { queries } from '../api/queries'
import type { Body, Org } from '../api/types'
import { Equivalent } from '../components/equivalent'
import { useEdit } from '../hooks/edit'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Field } from '../ui/form'
import { Failure } from '../ui/page'
import { ageNames, changed, type Draft, draftOf, orgCommand } from './org-draft'

/** Changes an organization. */
export function OrgEdit({ org, onDone }: { org: Org; onDone: () => void }) {
  const text = useText()
  const client = useQueryClient()
  const { base, draft, setDraft, patch, moved, refused, error, busy, submit } = useEdit({
    row: org,
    draftOf,
    patchOf: changed,
    reread: ({ id }) => client.fetchQuery({ ...queries.org(id), staleTime: 0 }),
    send: (body: Body<'orgs.update'>, { id, revision }) =>
      answered(
        api.PATCH('/api/v1/orgs/{org}', {
          body,
          params: { path: { org: id } },
          headers: { 'if-match': `"${revision}"` },
        }),
      ),
    onDone,
  })
  const body = patch ?? {}
  const bind = (field: 'name' | 'billing_email' | 'time_zone' | 'hours' | 'notify') => ({
    value: draft[field],
    onChange: (event: { target: { value: string } }) => setDraft({ ...draft, [field]: event.target.value }),
  })
  return (
    <form className="form" onSubmit={submit}>
      <Field label={text.orgs.name} error={refused?.of('name')}>
        {(ids) => <input {...ids} {...bind('name')} required maxLength={200} />}
      </Field>
      <Field label={text.orgs.billing} optional={text.optional} error={refused?.of('billing_email')}>
        {(ids) => <input {...ids} {...bind('billing_email')} type="email" />}
      </Field>
      <div className="pair">
        <Field label={text.orgs.timeZone} hint={text.orgs.timeZoneHint}>
          {(ids) => <input {...ids} {...bind('time_zone')} className="mono" placeholder="UTC" />}
        </Field>
        <Field label={text.orgs.sessions} hint={text.orgs.sessionsHint}>
          {(ids) => <input {...ids} {...bind('hours')} inputMode="decimal" pattern="[0-9]+([.,][0-9]+)?" />}
        </Field>
      </div>
      <fieldset className="choices">
        <legend>{text.place.agents}</legend>
        <label>
          <input
            type="checkbox"
            checked={draft.new_agents_need_approval}
            onChange={(event) => setDraft({ ...draft, new_agents_need_approval: event.target.checked })}
          />
          <span>
            {text.orgs.approval}
            <small className="muted">{text.orgs.approvalHint}</small>
          </span>
        </label>
      </fieldset>
      <Field label={text.orgs.notify} optional={text.optional} hint={text.orgs.notifyHint}>
        {(ids) => <textarea {...ids} {...bind('notify')} rows={2} className="mono" spellCheck={false} />}
      </Field>
      <Ages draft={draft} onChange={setDraft} />
      {moved && (
        <p className="once" role="alert">
          {text.orgs.moved}
        </p>
      )}
      {error && <Failure error={error} />}
      <Equivalent
        method="PATCH"
        path={`/api/v1/orgs/${base.id}`}
        revision={base.revision}
        body={body}
        cli={orgCommand(base, body)}
      />
      <footer>
        <Button
          look="primary"
          type="submit"
          busy={busy}
          reason={Object.keys(body).length === 0 ? text.orgs.unchanged : undefined}
        >
          {text.orgs.save}
        </Button>
      </footer>
    </form>
  )
}

/** How old credentials, keys and secrets may get, by the environment of the agent that they belong to. */
function Ages({ draft, onChange }: { draft: Draft; onChange: (draft: Draft) => void }) {
  const text = useText()
  return (
    <fieldset className="ages">
      <legend>{text.orgs.ages}</legend>
      <p className="muted">{text.orgs.agesHint}</p>
      <table>
        <thead>
          <tr>
            <td />
            {ageNames[0]?.kinds.map(({ kind }) => (
              <th key={kind} scope="col">
                {text.orgs.age[kind]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ageNames.map(({ environment, kinds }) => (
            <tr key={environment}>
              <th scope="row">{text.envs[environment]}</th>
              {kinds.map(({ kind, name }) => (
                <td key={kind}>
                  <input
                    aria-label={`${text.envs[environment]}: ${text.orgs.age[kind]}`}
                    inputMode="decimal"
                    pattern="[0-9]+([.,][0-9]+)?"
                    value={draft.ages[name]}
                    onChange={(event) =>
                      onChange({ ...draft, ages: { ...draft.ages, [name]: event.target.value } })
                    }
                  />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </fieldset>
  )
}
