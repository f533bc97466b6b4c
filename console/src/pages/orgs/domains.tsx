import { useInfiniteQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { answered, api } from '../../api/client'
import { Problem } from '../../api/problem'
import { queries } from '../../api/queries'
import type { Domain } from '../../api/types'
import { Confirm } from '../../components/confirm'
import { command, Equivalent, quoted } from '../../components/equivalent'
import { useChange } from '../../hooks/change'
import { useReason } from '../../hooks/rights'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Copyable } from '../../ui/copy'
import { Dialog } from '../../ui/dialog'
import { Field } from '../../ui/form'
import { legible, Name } from '../../ui/name'
import { Empty, Failure, Properties, Section, Skeleton } from '../../ui/page'
import { Status } from '../../ui/status'
import { Time } from '../../ui/time'

interface DomainsProps {
  claiming: boolean
  onClaim: (claiming: boolean) => void
}

/** The organization's e-mail domains, each with the record that proves it. */
export function Domains({ claiming, onClaim }: DomainsProps) {
  const text = useText()
  const query = useInfiniteQuery(queries.domains())
  const mayUpdate = useReason('orgs:update')
  const [giving, setGiving] = useState<Domain>()
  const domains = query.data?.pages.flatMap((page) => page.items)
  return (
    <Section
      title={text.domains.title}
      actions={
        <Button icon="plus" reason={mayUpdate} onClick={() => onClaim(true)}>
          {text.domains.claim}
        </Button>
      }
    >
      <p className="muted">{text.domains.detail}</p>
      {query.isError && <Failure error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <Skeleton />}
      {domains?.length === 0 && (
        <Empty icon="org" title={text.domains.none} example="safeconduct domains claim example.com">
          {text.domains.noneDetail}
        </Empty>
      )}
      {domains && domains.length > 0 && (
        <ul className="cards">
          {domains.map((domain) => (
            <li key={domain.id}>
              <DomainCard of={domain} reason={mayUpdate} onGive={() => setGiving(domain)} />
            </li>
          ))}
        </ul>
      )}
      {claiming && (
        <Dialog title={text.domains.claim} kind="centre" onClose={() => onClaim(false)}>
          <Claim onDone={() => onClaim(false)} />
        </Dialog>
      )}
      {giving && <Giving of={giving} onClose={() => setGiving(undefined)} />}
    </Section>
  )
}

interface CardProps {
  of: Domain
  reason: string | undefined
  onGive: () => void
}

function DomainCard({ of: domain, reason, onGive }: CardProps) {
  const text = useText()
  const prove = useChange((_: undefined, key) =>
    answered(
      api.POST('/api/v1/domains/{domain}/prove', {
        params: { path: { domain: domain.id }, header: { 'Idempotency-Key': key } },
      }),
    ),
  )
  return (
    <article aria-label={legible(domain.name)}>
      <header>
        <h3 className="mono">
          <Name of={domain.name} />
        </h3>
        <Status of={domain.proved ? 'proved' : 'unproved'} />
        {domain.proved_at && <Time at={domain.proved_at} />}
        <span className="actions">
          {!domain.proved && (
            <Button
              icon="search"
              reason={reason}
              busy={prove.isPending}
              onClick={() => prove.mutate(undefined)}
            >
              {text.domains.check}
            </Button>
          )}
          <Button look="ghost" reason={reason} onClick={onGive}>
            {text.domains.give}
          </Button>
        </span>
      </header>
      {!domain.proved && (
        <>
          <p>{text.domains.publish}</p>
          <Properties
            of={[
              [text.domains.record, <Copyable key="r" value={domain.record} />],
              [
                text.domains.kind,
                <span key="t" className="mono">
                  TXT
                </span>,
              ],
              [text.domains.value, <Copyable key="v" value={domain.value} />],
            ]}
          />
          {prove.error && <Failure error={prove.error} />}
          <Equivalent
            method="POST"
            path={`/api/v1/domains/${domain.id}/prove`}
            cli={command('safeconduct domains prove', domain.id)}
          />
        </>
      )}
    </article>
  )
}

function Claim({ onDone }: { onDone: () => void }) {
  const text = useText()
  const [name, setName] = useState('')
  const body = { name: name.trim() }
  const claim = useChange(
    (_: undefined, key) =>
      answered(api.POST('/api/v1/domains', { body, params: { header: { 'Idempotency-Key': key } } })),
    onDone,
  )
  const refused = claim.error instanceof Problem ? claim.error : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    claim.mutate(undefined)
  }
  return (
    <form className="form" onSubmit={submit}>
      <Field label={text.domains.name} hint={text.domains.nameHint} error={refused?.of('name')}>
        {(ids) => (
          <input
            {...ids}
            className="mono"
            required
            spellCheck={false}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      {claim.error && <Failure error={claim.error} />}
      <Equivalent
        method="POST"
        path="/api/v1/domains"
        body={body}
        cli={command('safeconduct domains claim', quoted(body.name || '<name>'))}
      />
      <footer>
        <Button type="submit" look="primary" busy={claim.isPending}>
          {text.domains.claim}
        </Button>
      </footer>
    </form>
  )
}

function Giving({ of: domain, onClose }: { of: Domain; onClose: () => void }) {
  const text = useText()
  const change = useChange(
    () => answered(api.DELETE('/api/v1/domains/{domain}', { params: { path: { domain: domain.id } } })),
    onClose,
  )
  return (
    <Confirm
      title={text.domains.giveTitle(domain.name)}
      detail={text.domains.giveDetail}
      name={domain.name}
      act={text.domains.give}
      change={change}
      same={{
        method: 'DELETE',
        path: `/api/v1/domains/${domain.id}`,
        cli: command('safeconduct domains delete', domain.id),
      }}
      onClose={onClose}
    />
  )
}
