import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { answered, api } from '../../api/client'
import { queries } from '../../api/queries'
import type { Invitation, Invited } from '../../api/types'
import { Confirm } from '../../components/confirm'
import { Chip } from '../../components/identity'
import { Words } from '../../components/words'
import { useChange } from '../../hooks/change'
import { useReason } from '../../hooks/rights'
import { FilterBar } from '../../table/filters'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { CodeBlock } from '../../ui/copy'
import { Dialog } from '../../ui/dialog'
import { Icon } from '../../ui/icon'
import { Menu, MenuItem } from '../../ui/menu'
import { Empty } from '../../ui/page'
import { Status } from '../../ui/status'
import { Time } from '../../ui/time'

const states = ['open', 'accepted', 'revoked', 'expired'] as const

interface InvitationsProps {
  status: string | undefined
  onLink: (invited: Invited) => void
}

export function Invitations({ status, onLink }: InvitationsProps) {
  const text = useText()
  const query = useInfiniteQuery(queries.invitations({ status }))
  const mayResend = useReason('members:create', { stepUp: true })
  const mayRevoke = useReason('members:delete')
  const [asked, setAsked] = useState<{ act: 'resend' | 'revoke'; invitation: Invitation }>()
  const columns: Column<Invitation>[] = [
    { id: 'email', head: text.people.email, cell: (invitation) => invitation.email },
    { id: 'status', head: text.statusHead, cell: (invitation) => <Status of={invitation.status} /> },
    {
      id: 'roles',
      head: text.agents.roles,
      cell: (invitation) => <Words of={invitation.roles} />,
      wide: true,
    },
    {
      id: 'by',
      head: text.people.invitedBy,
      cell: (invitation) => <Chip of={{ kind: 'user', id: invitation.invited_by }} />,
      wide: true,
    },
    {
      id: 'sent',
      head: text.people.sent,
      cell: (invitation) => <Time at={invitation.sent_at} />,
      wide: true,
    },
    {
      id: 'expires',
      head: text.credentials.expires,
      cell: (invitation) => <Time at={invitation.expires_at} />,
      wide: true,
    },
    {
      id: 'menu',
      head: '',
      right: true,
      cell: (invitation) =>
        ['open', 'expired'].includes(invitation.status) && (
          <Menu label={text.credentials.actions(invitation.email)} trigger={<Icon name="more" />}>
            <MenuItem icon="key" reason={mayResend} onSelect={() => setAsked({ act: 'resend', invitation })}>
              {text.people.resend}
            </MenuItem>
            <MenuItem
              icon="cross"
              danger
              reason={mayRevoke}
              onSelect={() => setAsked({ act: 'revoke', invitation })}
            >
              {text.people.revoke}
            </MenuItem>
          </Menu>
        ),
    },
  ]
  const close = () => setAsked(undefined)
  return (
    <>
      <FilterBar
        values={{ status }}
        of={[{ name: 'status', label: text.statusHead, options: states.map((s) => [s, text.status[s]]) }]}
      />
      <Listing
        label={text.people.invitations}
        query={query}
        columns={columns}
        rowId={(invitation) => invitation.id}
        empty={
          status ? (
            <Empty icon="search" title={text.nothingMatches} />
          ) : (
            <Empty
              icon="users"
              title={text.people.noInvitations}
              example="safeconduct invitations create ada@example.com --role member"
            >
              {text.people.noInvitationsDetail}
            </Empty>
          )
        }
      />
      {asked?.act === 'resend' && (
        <Resending
          of={asked.invitation}
          onClose={close}
          onDone={(invited) => {
            close()
            onLink(invited)
          }}
        />
      )}
      {asked?.act === 'revoke' && <Revoking of={asked.invitation} onClose={close} />}
    </>
  )
}

interface ActProps {
  of: Invitation
  onClose: () => void
}

function Resending({ of: invitation, onClose, onDone }: ActProps & { onDone: (invited: Invited) => void }) {
  const text = useText()
  const change = useChange(
    (_: undefined, key) =>
      answered(
        api.POST('/api/v1/invitations/{invitation}/resend', {
          params: { path: { invitation: invitation.id }, header: { 'Idempotency-Key': key } },
        }),
      ),
    onDone,
  )
  return (
    <Confirm
      title={text.people.resendTitle(invitation.email)}
      detail={text.people.resendDetail}
      act={text.people.resend}
      change={change}
      same={{
        method: 'POST',
        path: `/api/v1/invitations/${invitation.id}/resend`,
        cli: `safeconduct invitations resend ${invitation.id}`,
      }}
      onClose={onClose}
    />
  )
}

function Revoking({ of: invitation, onClose }: ActProps) {
  const text = useText()
  const change = useChange(
    () =>
      answered(
        api.DELETE('/api/v1/invitations/{invitation}', { params: { path: { invitation: invitation.id } } }),
      ),
    onClose,
  )
  return (
    <Confirm
      title={text.people.revokeTitle(invitation.email)}
      detail={text.people.revokeDetail}
      name={invitation.email}
      act={text.people.revoke}
      change={change}
      same={{
        method: 'DELETE',
        path: `/api/v1/invitations/${invitation.id}`,
        cli: `safeconduct invitations revoke ${invitation.id}`,
      }}
      onClose={onClose}
    />
  )
}

/** Shown once, from the answer itself; it is kept nowhere and gone when this closes. */
export function InvitationLink({ of: invited, onClose }: { of: Invited; onClose: () => void }) {
  const text = useText()
  return (
    <Dialog title={text.people.linkTitle(invited.email)} kind="centre" onClose={onClose}>
      <p className="once">
        <Icon name="alert" /> {text.people.linkOnce}
      </p>
      <CodeBlock code={invited.link} label={text.people.link} wrap once />
      <footer>
        <Button look="primary" onClick={onClose}>
          {text.people.linkSent}
        </Button>
      </footer>
    </Dialog>
  )
}
