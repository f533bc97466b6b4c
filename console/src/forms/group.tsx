import { type FormEvent, useState } from 'react'
import { answered, api } from '../api/client'
import { Problem } from '../api/problem'
import type { Body, Group } from '../api/types'
import { command, Equivalent, flag, given, quoted } from '../components/equivalent'
import { useChange } from '../hooks/change'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Field } from '../ui/form'
import { Failure } from '../ui/page'
import { mergePatch } from './merge-patch'

const blank = { name: '', description: '', external_group_id: '', email_domain: '' }

type Draft = typeof blank

/** Makes a group, or changes the one given: only what differs is sent. */
export function GroupForm({ group, onDone }: { group?: Group; onDone: (group: Group) => void }) {
  const text = useText()
  const base = group ? draftOf(group) : blank
  const [draft, setDraft] = useState(base)
  const body = mergePatch(whole(base), whole(draft)) ?? {}
  const save = useChange((_: undefined, key) => {
    if (group === undefined) {
      return answered(
        api.POST('/api/v1/groups', {
          body: body as Body<'groups.create'>,
          params: { header: { 'Idempotency-Key': key } },
        }),
      )
    }
    return answered(
      api.PATCH('/api/v1/groups/{group}', {
        body: body as Body<'groups.update'>,
        params: { path: { group: group.id } },
        headers: { 'if-match': `"${group.revision}"` },
      }),
    )
  }, onDone)
  const refused = save.error instanceof Problem ? save.error : undefined
  const bind = (field: keyof Draft) => ({
    value: draft[field],
    onChange: (event: { target: { value: string } }) => setDraft({ ...draft, [field]: event.target.value }),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    save.mutate(undefined)
  }
  return (
    <form className="form" onSubmit={submit}>
      <Field label={text.group.name} error={refused?.of('name')}>
        {(ids) => <input {...ids} {...bind('name')} required maxLength={200} />}
      </Field>
      <Field label={text.description} optional={text.optional} error={refused?.of('description')}>
        {(ids) => <textarea {...ids} {...bind('description')} rows={2} maxLength={2000} />}
      </Field>
      <Field
        label={text.group.emailDomain}
        optional={text.optional}
        hint={text.group.emailDomainHint}
        error={refused?.of('email_domain')}
      >
        {(ids) => <input {...ids} {...bind('email_domain')} className="mono" spellCheck={false} />}
      </Field>
      <Field
        label={text.group.externalId}
        optional={text.optional}
        hint={text.group.externalIdHint}
        error={refused?.of('external_group_id')}
      >
        {(ids) => <input {...ids} {...bind('external_group_id')} className="mono" spellCheck={false} />}
      </Field>
      {save.error && <Failure error={save.error} />}
      <Same group={group} body={body} />
      <footer>
        <Button
          look="primary"
          type="submit"
          busy={save.isPending}
          reason={group && Object.keys(body).length === 0 ? text.orgs.unchanged : undefined}
        >
          {group ? text.orgs.save : text.group.create}
        </Button>
      </footer>
    </form>
  )
}

function Same({ group, body }: { group: Group | undefined; body: Record<string, unknown> }) {
  const word = (name: string) => body[name] as string | null | undefined
  if (group === undefined) {
    return (
      <Equivalent
        method="POST"
        path="/api/v1/groups"
        body={body}
        cli={command(
          'safeconduct groups create',
          quoted(word('name') || '<name>'),
          flag('description', word('description')),
          flag('external-id', word('external_group_id')),
          flag('email-domain', word('email_domain')),
        )}
      />
    )
  }
  return (
    <Equivalent
      method="PATCH"
      path={`/api/v1/groups/${group.id}`}
      revision={group.revision}
      body={body}
      cli={command(
        'safeconduct groups update',
        group.id,
        flag('name', word('name')),
        given('description', word('description')),
        'external_group_id' in body && given('external-id', word('external_group_id') ?? ''),
        'email_domain' in body && given('email-domain', word('email_domain') ?? ''),
        flag('if-revision', group.revision),
      )}
    />
  )
}

function draftOf({ name, description, external_group_id, email_domain }: Group): Draft {
  return {
    name,
    description,
    external_group_id: external_group_id ?? '',
    email_domain: email_domain ?? '',
  }
}

function whole(draft: Draft) {
  return {
    name: draft.name.trim(),
    description: draft.description.trim(),
    external_group_id: draft.external_group_id.trim() || null,
    email_domain: draft.email_domain.trim() || null,
  }
}
