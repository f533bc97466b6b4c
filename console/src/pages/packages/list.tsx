import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { answered, api } from '../../api/client'
import { Problem } from '../../api/problem'
import { queries } from '../../api/queries'
import type { Package } from '../../api/types'
import { command, Equivalent, flag } from '../../components/equivalent'
import { Chip } from '../../components/identity'
import { useChange } from '../../hooks/change'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { FilterBar } from '../../table/filters'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Dialog } from '../../ui/dialog'
import { Field } from '../../ui/form'
import { Name, shown } from '../../ui/name'
import { Empty, Failure, PageHeader } from '../../ui/page'
import { Status } from '../../ui/status'
import { PackageActs } from './acts'

const route = getRouteApi('/shell/packages')

const states = ['requested', 'approved', 'refused'] as const

export default function Packages() {
  const text = useText()
  const { panel, ...filters } = route.useSearch()
  const navigate = route.useNavigate()
  const open = (panel: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, panel: panel as string }) })
  const query = useInfiniteQuery(queries.packages(filters))
  const [refusal, setRefusal] = useState<unknown>()
  const columns: Column<Package>[] = [
    {
      id: 'name',
      head: text.packages.name,
      cell: ({ name, reason }) => (
        <span className="name">
          <span className="mono">
            <Name of={name} />
          </span>
          {reason && <span className="muted truncate">{shown(reason)}</span>}
        </span>
      ),
    },
    {
      id: 'state',
      head: text.statusHead,
      cell: ({ state, answer }) => (
        <span className="name">
          <Status of={state} />
          {answer && <span className="muted wide break">{shown(answer)}</span>}
        </span>
      ),
    },
    {
      id: 'functions',
      head: text.packages.functions,
      cell: ({ name, functions }) =>
        functions > 0 ? (
          <Link className="mono" to={paths.functions} search={{ package: name }}>
            {functions}
          </Link>
        ) : (
          <span className="mono">0</span>
        ),
      right: true,
    },
    {
      id: 'by',
      head: text.packages.askedBy,
      cell: ({ requested_by }) => <Chip of={requested_by} />,
      wide: true,
    },
    {
      id: 'acts',
      head: text.moreActions,
      cell: (one) => <PackageActs of={one} onRefused={setRefusal} />,
      right: true,
    },
  ]
  const filtered = Object.values(filters).some(Boolean)
  return (
    <>
      <PageHeader
        title={text.place.packages}
        detail={text.packages.detail}
        actions={
          <Button
            look="primary"
            icon="plus"
            reason={useReason('packages:create')}
            onClick={() => open('request')}
          >
            {text.packages.request}
          </Button>
        }
      />
      <FilterBar
        values={filters}
        of={[
          { name: 'q', label: text.packages.search, kind: 'search' },
          { name: 'state', label: text.statusHead, options: states.map((id) => [id, text.status[id]]) },
        ]}
      />
      {refusal !== undefined && <Failure error={refusal} />}
      <Listing
        label={text.place.packages}
        query={query}
        columns={columns}
        rowId={({ id }) => id}
        empty={
          filtered ? (
            <Empty icon="search" title={text.nothingMatches} />
          ) : (
            <Empty icon="package" title={text.packages.none} example="safeconduct packages request requests">
              {text.packages.noneDetail}
            </Empty>
          )
        }
      />
      {panel === 'request' && <Request onClose={() => open(undefined)} />}
    </>
  )
}

function Request({ onClose }: { onClose: () => void }) {
  const text = useText()
  const [name, setName] = useState('')
  const [reason, setReason] = useState('')
  const body = { name: name.trim(), ...(reason.trim() && { reason: reason.trim() }) }
  const request = useChange(
    (_: undefined, key) =>
      answered(api.POST('/api/v1/packages', { body, params: { header: { 'Idempotency-Key': key } } })),
    onClose,
  )
  const refused = request.error instanceof Problem ? request.error : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    request.mutate(undefined)
  }
  return (
    <Dialog title={text.packages.requestTitle} kind="centre" onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <Field label={text.packages.name} error={refused?.of('name')}>
          {(ids) => (
            <input
              {...ids}
              className="mono"
              required
              autoComplete="off"
              spellCheck={false}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field label={text.packages.what} optional={text.optional} error={refused?.of('reason')}>
          {(ids) => <input {...ids} value={reason} onChange={(event) => setReason(event.target.value)} />}
        </Field>
        {request.error && <Failure error={request.error} />}
        <Equivalent
          method="POST"
          path="/api/v1/packages"
          body={body}
          cli={command(`safeconduct packages request ${body.name || '<name>'}`, flag('reason', body.reason))}
        />
        <footer>
          <Button onClick={onClose}>{text.cancel}</Button>
          <Button type="submit" look="primary" busy={request.isPending}>
            {text.packages.request}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}
