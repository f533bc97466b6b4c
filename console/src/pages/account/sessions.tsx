import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { answered, api } from '../../api/client'
import { queries } from '../../api/queries'
import type { Session } from '../../api/types'
import { useChange } from '../../hooks/change'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { shortId } from '../../ui/copy'
import { Empty, Failure, PageHeader } from '../../ui/page'
import { Status } from '../../ui/status'
import { Time } from '../../ui/time'

export default function Sessions() {
  const text = useText()
  const query = useInfiniteQuery(queries.sessions())
  const here = useQuery(queries.me()).data?.session?.id
  const revoke = useChange((session: string) =>
    answered(api.DELETE('/api/v1/auth/sessions/{session}', { params: { path: { session } } })),
  )
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
    { id: 'kind', head: text.sessions.kind, cell: (session) => session.kind, wide: true },
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
          busy={revoke.isPending && revoke.variables === session.id}
          reason={session.id === here ? text.sessions.currentReason : undefined}
          onClick={() => revoke.mutate(session.id)}
        >
          {text.sessions.end}
        </Button>
      ),
    },
  ]
  return (
    <>
      <PageHeader title={text.sessions.title} detail={text.sessions.detail} />
      {revoke.error && <Failure error={revoke.error} />}
      <Listing
        label={text.sessions.title}
        query={query}
        columns={columns}
        rowId={(session) => session.id}
        empty={<Empty icon="session" title={text.sessions.none} />}
      />
    </>
  )
}

/** A browser's own name out of its long signature. */
function browserOf(agent: string | null | undefined): string | undefined {
  return (
    /(Firefox|Edg|OPR|Chrome|Safari)\/\d+/.exec(agent ?? '')?.[0]?.replace('/', ' ') ?? (agent || undefined)
  )
}
