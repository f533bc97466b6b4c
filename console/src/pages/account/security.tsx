import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { queries } from '../../api/queries'
import type { Factor } from '../../api/types'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Icon } from '../../ui/icon'
import { Menu, MenuItem } from '../../ui/menu'
import { Name } from '../../ui/name'
import { Empty, Failure, PageHeader, Section, Skeleton } from '../../ui/page'
import { Time } from '../../ui/time'
import { NewApp } from './app'
import { RecoveryCodes, Renewal } from './codes'
import { Removal, Renaming } from './factor'
import { NewPasskey } from './passkey'
import { PasswordChange } from './password'

type Open =
  | { kind: 'app' | 'passkey' | 'password' | 'renew' }
  | { kind: 'rename' | 'remove'; factor: Factor }
  | { kind: 'codes'; codes: string[] }

/** What a person proves themselves by: password, apps, passkeys, and codes for when those are lost. */
export default function SecurityPage() {
  const text = useText()
  const factors = useQuery(queries.factors())
  const me = useQuery(queries.me()).data
  const offered = useQuery({ ...queries.offered(me?.org.slug), enabled: me !== undefined }).data?.items
  const [open, setOpen] = useState<Open>()
  const close = () => setOpen(undefined)
  const made = (codes: string[]) => setOpen(codes.length > 0 ? { kind: 'codes', codes } : undefined)
  const lacks = (kind: string) =>
    offered && !offered.some((provider) => provider.kind === kind) ? text.security.switchedOff : undefined
  return (
    <>
      <PageHeader title={text.security.title} detail={text.security.detail} />
      <Section
        title={text.security.factors}
        actions={
          <div className="row">
            <Button icon="plus" onClick={() => setOpen({ kind: 'app' })}>
              {text.security.addApp}
            </Button>
            <Button
              icon="plus"
              reason={lacks('passkey') ?? (canPasskey() ? undefined : text.security.noPasskeys)}
              onClick={() => setOpen({ kind: 'passkey' })}
            >
              {text.security.addPasskey}
            </Button>
          </div>
        }
      >
        {factors.isPending && <Skeleton />}
        {factors.error && <Failure error={factors.error} onRetry={() => void factors.refetch()} />}
        {factors.data?.items.length === 0 && (
          <Empty icon="seal" title={text.security.none}>
            {text.security.noneDetail}
          </Empty>
        )}
        {factors.data && factors.data.items.length > 0 && (
          <ul className="factors">
            {factors.data.items.map((factor) => (
              <li key={factor.id}>
                <Icon name={factor.kind === 'passkey' ? 'key' : 'screen'} />
                <div>
                  <strong>
                    <Name of={factor.label} />
                  </strong>
                  <p className="muted">
                    {text.security.kinds[factor.kind as 'totp']} · {text.created}{' '}
                    <Time at={factor.created_at} /> · {text.credentials.lastUsed}{' '}
                    <Time at={factor.last_used_at} />
                  </p>
                </div>
                <Menu label={text.security.actions(factor.label)} trigger={<Icon name="more" />}>
                  <MenuItem icon="edit" onSelect={() => setOpen({ kind: 'rename', factor })}>
                    {text.security.rename}
                  </MenuItem>
                  <MenuItem icon="cross" danger onSelect={() => setOpen({ kind: 'remove', factor })}>
                    {text.security.remove}
                  </MenuItem>
                </Menu>
              </li>
            ))}
          </ul>
        )}
      </Section>
      <Section
        title={text.security.codes}
        actions={
          <Button
            reason={factors.data?.items.length === 0 ? text.security.codesNeedFactor : undefined}
            onClick={() => setOpen({ kind: 'renew' })}
          >
            {text.security.renew}
          </Button>
        }
      >
        <p className="muted">{text.security.codesDetail}</p>
        {factors.data && <p>{text.security.left(factors.data.recovery_codes_left)}</p>}
      </Section>
      <Section
        title={text.security.password}
        actions={
          <Button reason={lacks('password')} onClick={() => setOpen({ kind: 'password' })}>
            {text.security.setPassword}
          </Button>
        }
      >
        <p className="muted">{text.security.passwordDetail}</p>
      </Section>
      {open?.kind === 'app' && <NewApp onDone={made} onClose={close} />}
      {open?.kind === 'passkey' && <NewPasskey onDone={made} onClose={close} />}
      {open?.kind === 'password' && <PasswordChange onClose={close} />}
      {open?.kind === 'renew' && <Renewal onDone={made} onClose={close} />}
      {open?.kind === 'rename' && <Renaming factor={open.factor} onClose={close} />}
      {open?.kind === 'remove' && <Removal factor={open.factor} onClose={close} />}
      {open?.kind === 'codes' && <RecoveryCodes codes={open.codes} onClose={close} />}
    </>
  )
}

/** Browsers keep passkeys for names only, and over a safe connection. */
function canPasskey(): boolean {
  const isAddress = /^[\d.]+$|^\[/.test(location.hostname)
  return 'PublicKeyCredential' in window && !isAddress
}
