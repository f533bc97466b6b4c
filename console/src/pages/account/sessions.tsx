import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { answered, api } from '../../api/client'
import { queries } from '../../api/queries'
import type { Session } from '../../api/types'
import { Equivalent } from '../../components/equivalent'
import { useChange } from '../../hooks/change'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { shortId } from '../../ui/copy'
import { Dialog } from '../../ui/dialog'
import { Empty, Failure, PageHeader } from '../../ui/page'
import { Status } from '../../ui/status'
import { Time } from '../../ui/time'

export default function Sessions() {
  const text = useText()
  const query = useInfiniteQuery(queries.sessions())
  const here = useQuery(queries.me()).data?.session?.id
  const [ending, setEnding] = useState<Session | 'all'>()
  const columns: Column<Session>[] = [
    {
      id: 'session',
      head: text.sessions.session,
      cell: (session) => (
        <span className="name">
          <span>{browserOf(session.user_agent) ?? text.sessions.unknown}</span>
          <span className="mono muted">{shortId(session.id)}</span>
        </span>
      ),
    },
    {
      id: 'here',
      head: text.statusHead,
      cell: (session) => <Status of="active" {...(session.id === here && { label: text.sessions.here })} />,
    },
    {
      id: 'kind',
      head: text.sessions.kind,
      cell: (session) => (text.sessions.kinds as Record<string, string>)[session.kind] ?? session.kind,
      wide: true,
    },
    {
      id: 'how',
      head: text.moreSessions.how,
      cell: (session) => waysOf(session.factors, text.moreSessions.ways),
      wide: true,
    },
    {
      id: 'seen',
      head: text.sessions.lastSeen,
      cell: (session) => <Time at={session.last_seen_at} />,
      wide: true,
    },
    { id: 'created', head: text.created, cell: (session) => <Time at={session.created_at} />, wide: true },
    {
      id: 'expires',
      head: text.credentials.expires,
      cell: (session) => <Time at={session.expires_at} />,
      wide: true,
    },
    {
      id: 'end',
      head: '',
      right: true,
      cell: (session) => (
        <Button
          look="ghost"
          reason={session.id === here ? text.sessions.currentReason : undefined}
          onClick={() => setEnding(session)}
        >
          {text.sessions.end}
        </Button>
      ),
    },
  ]
  return (
    <>
      <PageHeader
        title={text.sessions.title}
        detail={text.sessions.detail}
        actions={
          <Button look="danger" onClick={() => setEnding('all')}>
            {text.moreSessions.endAll}
          </Button>
        }
      />
      <Listing
        label={text.sessions.title}
        query={query}
        columns={columns}
        rowId={(session) => session.id}
        empty={<Empty icon="session" title={text.sessions.none} />}
      />
      {ending === 'all' && <EndingAll onClose={() => setEnding(undefined)} />}
      {ending && ending !== 'all' && <Ending of={ending} onClose={() => setEnding(undefined)} />}
    </>
  )
}

function Ending({ of: session, onClose }: { of: Session; onClose: () => void }) {
  const text = useText()
  const end = useChange(
    () =>
      answered(api.DELETE('/api/v1/auth/sessions/{session}', { params: { path: { session: session.id } } })),
    onClose,
  )
  const submit = (event: FormEvent) => {
    event.preventDefault()
    end.mutate(undefined)
  }
  const client = browserOf(session.user_agent) ?? text.sessions.unknown
  return (
    <Dialog title={text.sessions.endTitle(client)} kind="centre" onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <p>{text.sessions.endDetail}</p>
        {end.error && <Failure error={end.error} />}
        <Equivalent
          method="DELETE"
          path={`/api/v1/auth/sessions/${session.id}`}
          cli={`safeconduct sessions end ${session.id}`}
        />
        <footer>
          <Button onClick={onClose}>{text.cancel}</Button>
          <Button type="submit" look="danger" busy={end.isPending}>
            {text.sessions.end}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}

function EndingAll({ onClose }: { onClose: () => void }) {
  const text = useText()
  const end = useChange(() => answered(api.DELETE('/api/v1/auth/sessions')), onClose)
  return (
    <Dialog title={text.moreSessions.endAllTitle} kind="centre" onClose={onClose}>
      <div className="form">
        <p>{text.moreSessions.endAllDetail}</p>
        {end.error && <Failure error={end.error} />}
        <Equivalent method="DELETE" path="/api/v1/auth/sessions" cli="safeconduct sessions end-all" />
        <footer>
          <Button onClick={onClose}>{text.cancel}</Button>
          <Button look="danger" busy={end.isPending} onClick={() => end.mutate(undefined)}>
            {text.moreSessions.endAll}
          </Button>
        </footer>
      </div>
    </Dialog>
  )
}

/** `password+totp`, in words. */
function waysOf(factors: string, words: Record<string, string>): string {
  return factors
    .split('+')
    .map((way) => words[way] ?? way)
    .join(' + ')
}

/** A browser's own name out of its long signature. */
function browserOf(agent: string | null | undefined): string | undefined {
  return (
    /(Firefox|Edg|OPR|Chrome|Safari)\/\d+/.exec(agent ?? '')?.[0]?.replace('/', ' ') ?? (agent || undefined)
  )
}
