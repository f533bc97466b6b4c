import { type FormEvent, useState } from 'react'
import { answered, api } from '../api/client'
import { Problem } from '../api/problem'
import type { Secret } from '../api/types'
import { command, Equivalent, flag, flags, quoted } from '../components/equivalent'
import { useChange } from '../hooks/change'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Field } from '../ui/form'
import { Failure } from '../ui/page'

interface SecretFormProps {
  /** The one that gets another value; a new one without it. */
  of?: Secret
  onDone: (secret: Secret) => void
}

/** A value under a name, and where it may go: both are sent together, and the value is not shown again. */
export function SecretForm({ of: secret, onDone }: SecretFormProps) {
  const text = useText()
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const [value, setValue] = useState('')
  const [hosts, setHosts] = useState((secret?.hosts ?? []).join(' '))
  const named = hosts.split(/[\s,]+/).filter(Boolean)
  const body = { value, hosts: named }
  const made = { name: name.trim(), ...(description.trim() && { description: description.trim() }), ...body }
  const save = useChange(
    (_: undefined, key) =>
      secret
        ? answered(
            api.PUT('/api/v1/secrets/{secret}', {
              body,
              params: { path: { secret: secret.id } },
              headers: { 'if-match': `"${secret.revision}"` },
            }),
          )
        : answered(
            api.POST('/api/v1/secrets', { body: made, params: { header: { 'Idempotency-Key': key } } }),
          ),
    onDone,
  )
  const refused = save.error instanceof Problem ? save.error : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    save.mutate(undefined)
  }
  return (
    <form className="form" onSubmit={submit} autoComplete="off">
      {!secret && (
        <>
          <Field label={text.secrets.name} hint={text.secrets.nameHint} error={refused?.of('name')}>
            {(ids) => (
              <input
                {...ids}
                className="mono"
                required
                maxLength={63}
                pattern="[a-zA-Z_][a-zA-Z0-9_]*"
                spellCheck={false}
                value={name}
                onChange={(event) => setName(event.target.value)}
              />
            )}
          </Field>
          <Field label={text.description} optional={text.optional} error={refused?.of('description')}>
            {(ids) => (
              <input
                {...ids}
                maxLength={4000}
                value={description}
                onChange={(event) => setDescription(event.target.value)}
              />
            )}
          </Field>
        </>
      )}
      <Field label={text.secrets.value} hint={text.secrets.valueHint} error={refused?.of('value')}>
        {(ids) => (
          <textarea
            {...ids}
            className="mono"
            required
            rows={3}
            maxLength={65_536}
            spellCheck={false}
            value={value}
            onChange={(event) => setValue(event.target.value)}
          />
        )}
      </Field>
      <Field
        label={text.secrets.hosts}
        optional={text.optional}
        hint={text.secrets.hostsHint}
        error={refused?.of('hosts')}
      >
        {(ids) => (
          <input
            {...ids}
            className="mono"
            spellCheck={false}
            placeholder="api.example.com"
            value={hosts}
            onChange={(event) => setHosts(event.target.value)}
          />
        )}
      </Field>
      {save.error && <Failure error={save.error} />}
      <Equivalent
        method={secret ? 'PUT' : 'POST'}
        path={secret ? `/api/v1/secrets/${secret.name}` : '/api/v1/secrets'}
        {...(secret && { revision: secret.revision })}
        body={{ ...(secret ? body : made), value: '…' }}
        cli={command(
          secret ? 'safeconduct secrets replace' : 'safeconduct secrets create',
          secret?.name ?? quoted(made.name || '<name>'),
          '--from value.txt',
          !secret && flag('description', description.trim()),
          named.length > 0 && flags('host', named),
          secret && named.length === 0 && secret.hosts.length > 0 && '--unbound',
          secret && flag('if-revision', secret.revision),
        )}
      />
      <footer>
        <Button look="primary" type="submit" busy={save.isPending}>
          {secret ? text.secrets.replace : text.secrets.create}
        </Button>
      </footer>
    </form>
  )
}

/** What is said of it. */
export function SecretDescription({ of: secret, onDone }: { of: Secret; onDone: () => void }) {
  const text = useText()
  const [description, setDescription] = useState(secret.description)
  const body = { description: description.trim() }
  const save = useChange(
    () =>
      answered(
        api.PATCH('/api/v1/secrets/{secret}', {
          body,
          params: { path: { secret: secret.id } },
          headers: { 'if-match': `"${secret.revision}"` },
        }),
      ),
    onDone,
  )
  const submit = (event: FormEvent) => {
    event.preventDefault()
    save.mutate(undefined)
  }
  return (
    <form className="form" onSubmit={submit}>
      <Field label={text.description} optional={text.optional}>
        {(ids) => (
          <textarea
            {...ids}
            rows={3}
            maxLength={4000}
            value={description}
            onChange={(event) => setDescription(event.target.value)}
          />
        )}
      </Field>
      <p className="muted">{text.secrets.hostsKept}</p>
      {save.error && <Failure error={save.error} />}
      <Equivalent
        method="PATCH"
        path={`/api/v1/secrets/${secret.name}`}
        revision={secret.revision}
        body={body}
        cli={command(
          'safeconduct secrets update',
          secret.name,
          `--description ${quoted(body.description || ' ')}`,
          flag('if-revision', secret.revision),
        )}
      />
      <footer>
        <Button
          look="primary"
          type="submit"
          busy={save.isPending}
          reason={body.description === secret.description ? text.orgs.unchanged : undefined}
        >
          {text.orgs.save}
        </Button>
      </footer>
    </form>
  )
}
