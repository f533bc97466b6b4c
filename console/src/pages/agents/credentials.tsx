import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { queries } from '../../api/queries'
import type { Agent, Credential, Issued } from '../../api/types'
import { CredentialForm, RevokeForm, RotateForm } from '../../forms/credential'
import { useReason } from '../../hooks/rights'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { CodeBlock, Copyable, shortId } from '../../ui/copy'
import { Dialog } from '../../ui/dialog'
import { Icon } from '../../ui/icon'
import { Menu, MenuItem } from '../../ui/menu'
import { Name } from '../../ui/name'
import { Empty, Properties, Section } from '../../ui/page'
import { Status } from '../../ui/status'
import { Time } from '../../ui/time'

const WEEK = 7 * 86_400_000

type Open =
  | { kind: 'new' }
  | { kind: 'rotate' | 'revoke'; credential: Credential }
  | { kind: 'shown'; credential: Issued }

export function Credentials({ agent }: { agent: Agent }) {
  const text = useText()
  const query = useInfiniteQuery(queries.credentials(agent.id))
  const [open, setOpen] = useState<Open>()
  const close = () => setOpen(undefined)
  const inactive = agent.status === 'active' ? undefined : text.credentials.needsActive
  const of = { owner: agent.owner.id }
  const mayCreate = useReason('credentials:create', { of, stepUp: true })
  const mayRotate = useReason('credentials:update', { of, stepUp: true })
  const mayRevoke = useReason('credentials:update', { of })
  const columns: Column<Credential>[] = [
    {
      id: 'label',
      head: text.credentials.label,
      cell: (credential) => (
        <span className="name">
          <span>
            <Name of={credential.label} />
          </span>
          <span className="mono muted">{shortId(credential.id)}</span>
        </span>
      ),
    },
    { id: 'status', head: text.statusHead, cell: (credential) => <Status of={stateOf(credential)} /> },
    {
      id: 'kind',
      head: text.credentials.kind,
      cell: (credential) => text.credentials.kinds[credential.kind],
      wide: true,
    },
    {
      id: 'used',
      head: text.credentials.lastUsed,
      cell: (credential) => <Time at={credential.last_used_at} />,
      wide: true,
    },
    {
      id: 'expires',
      head: text.credentials.expires,
      cell: (credential) => <Time at={credential.expires_at} />,
      wide: true,
    },
    {
      id: 'menu',
      head: '',
      right: true,
      cell: (credential) =>
        credential.status === 'revoked' ? null : (
          <Menu label={text.credentials.actions(credential.label)} trigger={<Icon name="more" />}>
            <MenuItem
              icon="key"
              reason={inactive ?? mayRotate}
              onSelect={() => setOpen({ kind: 'rotate', credential })}
            >
              {text.credentials.rotate}
            </MenuItem>
            <MenuItem
              icon="cross"
              danger
              reason={mayRevoke}
              onSelect={() => setOpen({ kind: 'revoke', credential })}
            >
              {text.credentials.revoke}
            </MenuItem>
          </Menu>
        ),
    },
  ]
  const shown = (credential: Issued) =>
    credential.client_secret ? setOpen({ kind: 'shown', credential }) : close()
  return (
    <Section
      title={text.credentials.title}
      actions={
        <Button icon="plus" reason={inactive ?? mayCreate} onClick={() => setOpen({ kind: 'new' })}>
          {text.credentials.create}
        </Button>
      }
    >
      <Listing
        label={text.credentials.title}
        query={query}
        columns={columns}
        rowId={(credential) => credential.id}
        empty={
          <Empty
            icon="key"
            title={text.credentials.none}
            example={`safeconduct credentials create ${agent.namespace}:${agent.name} --label ci`}
          >
            {text.credentials.noneDetail}
          </Empty>
        }
      />
      {open?.kind === 'new' && (
        <Dialog title={text.credentials.create} kind="side" onClose={close}>
          <CredentialForm agent={agent} onDone={shown} />
        </Dialog>
      )}
      {open?.kind === 'rotate' && (
        <Dialog title={text.credentials.rotateTitle(open.credential.label)} kind="side" onClose={close}>
          <RotateForm agent={agent} credential={open.credential} onDone={shown} />
        </Dialog>
      )}
      {open?.kind === 'revoke' && (
        <Dialog title={text.credentials.revokeTitle(open.credential.label)} kind="centre" onClose={close}>
          <RevokeForm agent={agent} credential={open.credential} onDone={close} />
        </Dialog>
      )}
      {open?.kind === 'shown' && (
        <Dialog title={text.credentials.shownTitle} kind="centre" onClose={close}>
          <Secret of={open.credential} />
          <footer>
            <Button look="primary" onClick={close}>
              {text.credentials.kept}
            </Button>
          </footer>
        </Dialog>
      )}
    </Section>
  )
}

/** An active one past its end, or close to it, says so. */
function stateOf(credential: Credential): string {
  if (credential.status !== 'active' || !credential.expires_at) return credential.status
  const left = Date.parse(credential.expires_at) - Date.now()
  return left < 0 ? 'expired' : left < WEEK ? 'expiring' : 'active'
}

/** Shown once, from the answer itself; it is kept nowhere and gone when this closes. */
function Secret({ of: credential }: { of: Issued }) {
  const text = useText()
  const secret = credential.client_secret ?? ''
  return (
    <>
      <p className="once">
        <Icon name="alert" /> {text.credentials.shownOnce}
      </p>
      <Properties
        of={[
          ['client_id', <Copyable key="i" value={credential.client_id} />],
          ['client_secret', <CodeBlock key="s" code={secret} label={text.credentials.secret} wrap once />],
        ]}
      />
      <details>
        <summary>{text.credentials.tryIt}</summary>
        <CodeBlock
          label={text.byApi}
          wrap
          code={`curl -u ${credential.client_id}:"$CLIENT_SECRET" -d grant_type=client_credentials \\\n  ${location.origin}/oauth2/token`}
        />
      </details>
    </>
  )
}
