import { Link } from '@tanstack/react-router'
import { type ChangeEvent, type FormEvent, useState } from 'react'
import { answered, api } from '../../api/client'
import type { ImportReport } from '../../api/types'
import { Equivalent } from '../../components/equivalent'
import { Id } from '../../components/identity'
import { entriesOf } from '../../forms/import-entries'
import { useChange } from '../../hooks/change'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { CodeBlock } from '../../ui/copy'
import { Field } from '../../ui/form'
import { Failure, PageHeader, Section } from '../../ui/page'
import { Status } from '../../ui/status'

const example = 'external_id,email,display_name,roles\n1042,ada@example.com,Ada Lovelace,member\n'

/** Brings many people in at once and says for each what became of it. */
export default function ImportPeople() {
  const text = useText()
  const [provider, setProvider] = useState('')
  const [typed, setTyped] = useState('')
  const [report, setReport] = useState<ImportReport>()
  const entries = entriesOf(typed)
  const body = { provider: provider.trim(), entries: entries ?? [] }
  const bring = useChange(
    (_: undefined, key) =>
      answered(api.POST('/api/v1/users/import', { body, params: { header: { 'Idempotency-Key': key } } })),
    setReport,
  )
  const mayCreate = useReason('users:create', { stepUp: true })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setReport(undefined)
    bring.mutate(undefined)
  }
  const choose = async (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0]
    if (file) setTyped(await file.text())
  }
  const nothing =
    entries === undefined
      ? text.people.importUnread
      : entries.length === 0
        ? text.people.importNothing
        : undefined
  return (
    <>
      <PageHeader
        title={text.people.import}
        above={<Link to={paths.members}>{text.place.members}</Link>}
        detail={text.people.importDetail}
      />
      <div className="columns">
        <form className="form" onSubmit={submit}>
          <Field label={text.people.provider} hint={text.people.providerHint}>
            {(ids) => (
              <input
                {...ids}
                required
                className="mono"
                spellCheck={false}
                value={provider}
                onChange={(event) => setProvider(event.target.value)}
              />
            )}
          </Field>
          <Field label={text.people.importFile} optional={text.optional}>
            {(ids) => (
              <input
                {...ids}
                type="file"
                accept=".csv,.json,text/csv,application/json"
                onChange={(event) => void choose(event)}
              />
            )}
          </Field>
          <Field
            label={text.people.importEntries}
            hint={
              entries && entries.length > 0 ? text.people.importCount(entries.length) : text.people.importHint
            }
            error={entries === undefined ? text.people.importUnread : undefined}
          >
            {(ids) => (
              <textarea
                {...ids}
                className="mono"
                rows={12}
                required
                spellCheck={false}
                placeholder={example}
                value={typed}
                onChange={(event) => setTyped(event.target.value)}
              />
            )}
          </Field>
          {bring.error && <Failure error={bring.error} />}
          <Equivalent
            method="POST"
            path="/api/v1/users/import"
            body={body}
            cli="safeconduct users import people.json"
          />
          <footer>
            <Button look="primary" type="submit" busy={bring.isPending} reason={mayCreate ?? nothing}>
              {text.people.importAct}
            </Button>
          </footer>
        </form>
        {report ? (
          <Report of={report} />
        ) : (
          <Section title={text.people.importForms}>
            <CodeBlock code={example} label="CSV" />
            <CodeBlock
              code={JSON.stringify(
                [{ external_id: '1042', email: 'ada@example.com', display_name: 'Ada', roles: ['member'] }],
                null,
                2,
              )}
              label="JSON"
            />
          </Section>
        )}
      </div>
    </>
  )
}

const outcomes = ['created', 'joined', 'linked', 'unchanged', 'refused'] as const

function Report({ of: report }: { of: ImportReport }) {
  const text = useText()
  return (
    <Section title={text.people.outcomes}>
      <p className="run-line" role="status">
        {outcomes
          .filter((outcome) => report[outcome] > 0)
          .map((outcome) => (
            <Status key={outcome} of={outcome} label={`${report[outcome]} ${text.status[outcome]}`} />
          ))}
      </p>
      <div className="listing">
        <table>
          <caption className="visually-hidden">{text.people.outcomes}</caption>
          <thead>
            <tr>
              <th scope="col">{text.people.externalId}</th>
              <th scope="col">{text.people.outcome}</th>
              <th scope="col">{text.people.person}</th>
            </tr>
          </thead>
          <tbody>
            {report.outcomes.map((entry) => (
              <tr key={entry.external_id}>
                <td className="mono">{entry.external_id}</td>
                <td>
                  <Status of={entry.outcome} />
                </td>
                <td>
                  {entry.user ? <Id of={entry.user} short /> : (entry.detail ?? <code>{entry.code}</code>)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  )
}
