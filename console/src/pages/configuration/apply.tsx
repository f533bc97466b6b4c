import { useMutation } from '@tanstack/react-query'
import { type ChangeEvent, useId, useState } from 'react'
import { answered, api } from '../../api/client'
import { Problem } from '../../api/problem'
import type { Body, ConfigChange, ConfigFinding, ConfigPlan } from '../../api/types'
import { Confirm } from '../../components/confirm'
import { command, Equivalent } from '../../components/equivalent'
import { useChange } from '../../hooks/change'
import { useReason } from '../../hooks/rights'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Editor } from '../../ui/editor'
import { Field } from '../../ui/form'
import { Failure, Section } from '../../ui/page'
import { Status } from '../../ui/status'
import { Findings } from './findings'
import { NamesOf, type Values } from './given'
import { named, namesIn } from './names'
import { Changes, Plan } from './plan'

const example = `apiVersion: safeconduct.dev/v1
kind: Config
metadata:
  name: example
spec:
  roles:
    - name: note-taker
      description: Writes notes
      permissions: ["state/notes/**:update"]
  state_namespaces:
    - name: notes
      default_visibility: organization
`

/** A document, what is wrong with it, what it would change, and then the change itself. */
export function ApplyFile() {
  const text = useText()
  const id = useId()
  const [document, setDocument] = useState(example)
  const [values, setValues] = useState<Values>({ variables: {}, files: {} })
  const [manner, setManner] = useState({ prune: false, force: false })
  const [confirming, setConfirming] = useState(false)
  const names = namesIn(document)
  const sent = {
    document,
    variables: named(values.variables, names.variables),
    files: named(values.files, names.files),
  }
  const body = { ...sent, ...manner }
  const validate = useMutation({
    mutationFn: (body: Body<'config.validate'>) => answered(api.POST('/api/v1/config/validate', { body })),
  })
  const plan = useMutation({
    mutationFn: (body: Body<'config.plan'>) => answered(api.POST('/api/v1/config/plan', { body })),
  })
  const apply = useChange(
    (_: undefined, key) =>
      answered(api.POST('/api/v1/config/apply', { body, params: { header: { 'Idempotency-Key': key } } })),
    () => {
      setConfirming(false)
      validate.reset()
      plan.reset()
    },
  )
  /** Whatever was said of another text or manner is not said of this one. */
  const anew = () => {
    validate.reset()
    plan.reset()
    apply.reset()
  }
  const write = (document: string) => {
    anew()
    setDocument(document)
  }
  const choose = async (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0]
    if (file) write(await file.text())
  }
  const mayApply = useReason('config:update', { stepUp: true })
  const findings =
    validate.data?.errors ?? [plan.error, apply.error].flatMap((error) => membersOf(error, 'findings'))
  const held = [plan.error, apply.error].flatMap((error) => changesOf(error))
  const wrongLines = findings.flatMap(({ line }) => (line ? [line] : []))
  const check = () => {
    anew()
    validate.mutate(sent)
  }
  const ask = () => {
    anew()
    plan.mutate(body)
  }
  const cli = (verb: string) =>
    command(
      `safeconduct config ${verb} safeconduct.yaml`,
      verb === 'apply' && manner.prune && '--prune',
      verb === 'apply' && manner.force && '--force',
    )
  return (
    <div className="columns">
      <div className="form">
        <Field label={text.config.file} optional={text.optional}>
          {(ids) => (
            <input
              {...ids}
              type="file"
              accept=".yaml,.yml,.json,application/yaml,application/json"
              onChange={(event) => void choose(event)}
            />
          )}
        </Field>
        <div className="field">
          <label htmlFor={id}>{text.config.document}</label>
          <Editor
            id={id}
            label={text.config.document}
            value={document}
            rows={22}
            wrongLines={wrongLines}
            onChange={write}
          />
          <p className="muted">{text.config.documentHint}</p>
        </div>
        <NamesOf
          names={names}
          values={values}
          onChange={(values) => {
            anew()
            setValues(values)
          }}
        />
        <fieldset className="choices">
          <legend>{text.config.choices}</legend>
          {(['prune', 'force'] as const).map((name) => (
            <label key={name}>
              <input
                type="checkbox"
                checked={manner[name]}
                onChange={(event) => {
                  anew()
                  setManner({ ...manner, [name]: event.target.checked })
                }}
              />
              {text.config[name]}
            </label>
          ))}
        </fieldset>
        <Equivalent method="POST" path="/api/v1/config/apply" body={redacted(body)} cli={cli('apply')} />
        <footer>
          <Button busy={validate.isPending} onClick={check}>
            {text.config.validate}
          </Button>
          <Button look={plan.data ? 'plain' : 'primary'} busy={plan.isPending} onClick={ask}>
            {text.config.plan}
          </Button>
          <Button
            look={plan.data ? 'primary' : 'plain'}
            busy={apply.isPending}
            reason={mayApply ?? whyNot(plan.data, text.config)}
            onClick={() => setConfirming(true)}
          >
            {text.config.carryOut}
          </Button>
        </footer>
      </div>
      <div>
        {validate.data && (
          <p role="status">
            <Status
              of={validate.data.valid ? 'works' : 'failed'}
              label={validate.data.valid ? text.config.valid : text.config.invalid}
            />
          </p>
        )}
        {validate.error && <Failure error={validate.error} />}
        {plan.error && <Failure error={plan.error} />}
        {apply.error && !confirming && <Failure error={apply.error} />}
        {findings.length > 0 && <Findings of={findings} title={text.config.findings} editor={id} />}
        {validate.data && validate.data.warnings.length > 0 && (
          <Findings of={validate.data.warnings} title={text.config.warnings} editor={id} />
        )}
        {held.length > 0 && (
          <Section title={text.config.conflicts}>
            <Changes of={held} />
          </Section>
        )}
        {plan.data && <Plan of={plan.data} editor={id} />}
        {apply.data && (
          <>
            <p className="run-line" role="status">
              <Status of="applied" label={text.config.applied} />
              <span>{text.config.appliedDetail}</span>
            </p>
            <Plan of={apply.data} editor={id} />
          </>
        )}
      </div>
      {confirming && plan.data && (
        <Confirm
          title={text.config.confirm}
          detail={warningOf(plan.data, text.config)}
          {...(hurts(plan.data) && { name: plan.data.manager })}
          act={text.config.carryOut}
          change={apply}
          same={{ method: 'POST', path: '/api/v1/config/apply', body: redacted(body), cli: cli('apply') }}
          onClose={() => setConfirming(false)}
        />
      )}
    </div>
  )
}

type Words = ReturnType<typeof useText>['config']

/** Why this plan, or its lack, cannot be carried out. */
function whyNot(plan: ConfigPlan | undefined, text: Words): string | undefined {
  if (!plan) return text.planFirst
  if (plan.conflicts.length > 0) return text.held
  return plan.changes.length + plan.adopted.length === 0 ? text.nothingToDo : undefined
}

const removed = (plan: ConfigPlan) => plan.changes.filter(({ action }) => action === 'delete').length
const takenOver = (plan: ConfigPlan) =>
  plan.changes.filter(({ managed_by }) => managed_by && managed_by !== plan.manager).length

/** What cannot be taken back is confirmed by the file's name. */
const hurts = (plan: ConfigPlan) => removed(plan) + takenOver(plan) > 0

function warningOf(plan: ConfigPlan, text: Words): string {
  const gone = removed(plan)
  const taken = takenOver(plan)
  const rights = plan.changes.filter(({ changes_rights }) => changes_rights).length
  return [
    `${text.count(plan.changes.length)}.`,
    gone > 0 && text.confirmRemoval(gone),
    taken > 0 && text.confirmTakeover(taken),
    rights > 0 && `${text.rightsOf(rights)}.`,
    text.confirmDetail,
  ]
    .filter(Boolean)
    .join(' ')
}

/** What a name stands for may be a secret: the commands beside it say that there is one, not which. */
function redacted(body: Body<'config.apply'>) {
  const variables = Object.fromEntries(Object.keys(body.variables ?? {}).map((name) => [name, '…']))
  return { ...body, variables }
}

function membersOf(error: unknown, name: string): ConfigFinding[] {
  const found = error instanceof Problem ? error.members[name] : undefined
  return Array.isArray(found) ? (found as ConfigFinding[]) : []
}

function changesOf(error: unknown): ConfigChange[] {
  const found = error instanceof Problem ? error.members.conflicts : undefined
  return Array.isArray(found) ? (found as ConfigChange[]) : []
}
