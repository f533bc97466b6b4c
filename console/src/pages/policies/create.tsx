import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { answered, api } from '../../api/client'
import { Problem } from '../../api/problem'
import { queries } from '../../api/queries'
import type { Body, PolicyBundle } from '../../api/types'
import { command, Equivalent, flag } from '../../components/equivalent'
import { useChange } from '../../hooks/change'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Field } from '../../ui/form'
import { Failure, PageHeader, Skeleton } from '../../ui/page'
import { Status } from '../../ui/status'
import { asked, bundleOf, type File, filesOf, first, named } from './draft'
import { Files } from './files'
import { Simulator } from './simulator'
import { WhatIf } from './what-if'

const route = getRouteApi('/shell/policies/new')

/** A draft, from an earlier version or from an example: checked, rehearsed, then kept. */
export default function NewPolicy() {
  const text = useText()
  const { from } = route.useSearch()
  const base = useQuery({ ...queries.policy(from ?? ''), enabled: from !== undefined })
  return (
    <>
      <PageHeader
        title={text.policies.create}
        above={<Link to={paths.policies}>{text.place.policies}</Link>}
        detail={base.data && text.policies.from(base.data.number)}
      />
      {base.error && <Failure error={base.error} onRetry={() => void base.refetch()} />}
      {from && base.isPending && <Skeleton lines={5} />}
      {!from && <Draft from={first} />}
      {from && base.data && <Draft key={from} from={filesOf(base.data.bundle)} />}
    </>
  )
}

function Draft({ from }: { from: File[] }) {
  const text = useText()
  const navigate = useNavigate()
  const [files, setFiles] = useState(from)
  const [description, setDescription] = useState('')
  const bundle = bundleOf(files)
  const mayCreate = useReason('policies:create')
  const validate = useMutation({
    mutationFn: (body: PolicyBundle) =>
      answered(api.POST('/api/v1/policies/validate', { body: body as Body<'policies.validate'> })),
  })
  const save = useChange(
    (body: Body<'policies.create'>, key) =>
      answered(api.POST('/api/v1/policies', { body, params: { header: { 'Idempotency-Key': key } } })),
    (policy) => void navigate({ to: paths.policy(policy.id) }),
  )
  const refused = save.error instanceof Problem ? save.error : undefined
  const errors = validate.data?.errors ?? refused?.errors ?? []
  const notJson = bundle ? undefined : text.policies.dataNotJson
  const body = { ...(description.trim() && { description: description.trim() }), bundle }
  const change = (files: File[]) => {
    setFiles(files)
    validate.reset()
    save.reset()
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    save.mutate(body as Body<'policies.create'>)
  }
  return (
    <>
      <form className="form workbench" onSubmit={submit}>
        <Files of={files} onChange={change} errors={errors} />
        <div>
          <Field
            label={text.description}
            optional={text.optional}
            hint={text.policies.descriptionHint}
            error={refused?.of('description')}
          >
            {(ids) => (
              <input {...ids} value={description} onChange={(event) => setDescription(event.target.value)} />
            )}
          </Field>
          {validate.data && (
            <div className="validity" role="status">
              <Status
                of={validate.data.valid ? 'works' : 'failed'}
                label={validate.data.valid ? text.policies.valid(validate.data.rules) : text.policies.invalid}
              />
              <ul>
                {validate.data.errors.map(({ field, reason }) => (
                  <li key={field + reason}>
                    <code>{field}</code> {reason}
                  </li>
                ))}
              </ul>
            </div>
          )}
          {validate.error && <Failure error={validate.error} />}
          {save.error && <Failure error={save.error} />}
          <Equivalent
            method="POST"
            path="/api/v1/policies"
            body={body}
            cli={command('safeconduct policies push', named(files), flag('description', body.description))}
          />
          <footer>
            <Button
              busy={validate.isPending}
              reason={notJson}
              onClick={() => bundle && validate.mutate(bundle)}
            >
              {text.policies.validate}
            </Button>
            <Button type="submit" look="primary" busy={save.isPending} reason={mayCreate ?? notJson}>
              {text.policies.save}
            </Button>
          </footer>
          <p className="muted">{text.policies.saveDetail}</p>
        </div>
      </form>
      <Rehearsal bundle={bundle} files={asked(files)} />
    </>
  )
}

/** Before anybody meets it. */
function Rehearsal({ bundle, files }: { bundle: PolicyBundle | undefined; files: string[] }) {
  const text = useText()
  return (
    <div className="columns rehearsal">
      <section className="section">
        <header>
          <h2>{text.policies.simulateDraft}</h2>
        </header>
        <Simulator bundle={bundle} files={files} />
      </section>
      <section className="section">
        <header>
          <h2>{text.policies.whatIf}</h2>
        </header>
        <WhatIf bundle={bundle} files={files} />
      </section>
    </div>
  )
}
