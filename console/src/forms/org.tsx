import { type FormEvent, useState } from 'react'
import { answered, api } from '../api/client'
import { Problem } from '../api/problem'
import type { Org } from '../api/types'
import { command, Equivalent, flag, quoted } from '../components/equivalent'
import { type Principal, PrincipalField } from '../components/principal-field'
import { useChange } from '../hooks/change'
import { useReason } from '../hooks/rights'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Field } from '../ui/form'
import { Failure } from '../ui/page'

/** Founds an organization; for operators. */
export function OrgForm({ onDone }: { onDone: (org: Org) => void }) {
  const text = useText()
  const [draft, setDraft] = useState({ slug: '', name: '', billing_email: '' })
  const [owner, setOwner] = useState<Principal>()
  const { slug, name, billing_email } = draft
  const body = {
    slug: slug.trim(),
    name: name.trim(),
    ...(billing_email.trim() && { billing_email: billing_email.trim() }),
    ...(owner && { owner: owner.id }),
  }
  const create = useChange(
    (_: undefined, key) =>
      answered(api.POST('/api/v1/orgs', { body, params: { header: { 'Idempotency-Key': key } } })),
    onDone,
  )
  const refused = create.error instanceof Problem ? create.error : undefined
  const bind = (field: keyof typeof draft) => ({
    value: draft[field],
    onChange: (event: { target: { value: string } }) => setDraft({ ...draft, [field]: event.target.value }),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    create.mutate(undefined)
  }
  return (
    <form className="form" onSubmit={submit}>
      <Field label={text.orgs.name} error={refused?.of('name')}>
        {(ids) => <input {...ids} {...bind('name')} required maxLength={200} data-first />}
      </Field>
      <Field label={text.orgs.slug} hint={text.orgs.slugHint} error={refused?.of('slug')}>
        {(ids) => <input {...ids} {...bind('slug')} className="mono" required spellCheck={false} />}
      </Field>
      <Field label={text.orgs.billing} optional={text.optional} error={refused?.of('billing_email')}>
        {(ids) => <input {...ids} {...bind('billing_email')} type="email" />}
      </Field>
      <PrincipalField
        label={text.orgs.owner}
        kinds={['user']}
        chosen={owner}
        optional={text.optional}
        hint={text.orgs.ownerHint}
        error={refused?.of('owner')}
        onChoose={setOwner}
      />
      {create.error && <Failure error={create.error} />}
      <Equivalent
        method="POST"
        path="/api/v1/orgs"
        body={body}
        cli={command(
          'safeconduct orgs create',
          quoted(body.slug || '<slug>'),
          flag('name', body.name || '<name>'),
          flag('billing-email', body.billing_email),
          flag('owner', body.owner),
        )}
      />
      <footer>
        <Button look="primary" type="submit" busy={create.isPending} reason={useReason('system:orgs')}>
          {text.orgs.create}
        </Button>
      </footer>
    </form>
  )
}
