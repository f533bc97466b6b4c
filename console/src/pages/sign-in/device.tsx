import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useEffect, useState } from 'react'
import { answered, api } from '../../api/client'
import { Problem } from '../../api/problem'
import { queries } from '../../api/queries'
import type { WaitingDevice } from '../../api/types'
import { useChange } from '../../hooks/change'
import { Bare } from '../../layouts/bare'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Field } from '../../ui/form'
import { shown } from '../../ui/name'
import { Failure, Properties } from '../../ui/page'
import { Time } from '../../ui/time'

/** A code from a device, who is behind it, and the person's word. */
export default function DevicePage() {
  const text = useText()
  const [code, setCode] = useState(() => decodeURIComponent(location.hash.slice(1)))
  const [device, setDevice] = useState<WaitingDevice>()
  useEffect(() => {
    document.title = `${text.device.title} · Safeconduct`
  }, [text])
  const body = { user_code: code.trim() }
  const show = useChange(() => answered(api.POST('/api/v1/auth/device', { body })), setDevice)
  const approve = useChange(() => answered(api.POST('/api/v1/auth/device/approve', { body })), setDevice)
  const deny = useChange(() => answered(api.POST('/api/v1/auth/device/deny', { body })), setDevice)
  const refused = show.error instanceof Problem ? show.error : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    show.mutate(undefined)
  }
  if (device && device.status !== 'pending') {
    return (
      <Bare title={device.status === 'denied' ? text.device.denied : text.device.approved}>
        <p role="status">
          {device.status === 'denied' ? text.device.deniedDetail : text.device.approvedDetail}
        </p>
      </Bare>
    )
  }
  if (!device) {
    return (
      <Bare title={text.device.title}>
        <form className="form" onSubmit={submit}>
          <p>{text.device.detail}</p>
          <Field label={text.device.code} error={refused?.of('user_code')}>
            {(ids) => (
              <input
                {...ids}
                className="mono user-code"
                value={code}
                required
                autoComplete="off"
                autoCapitalize="characters"
                spellCheck={false}
                placeholder="BCDF-GHJK"
                onChange={(event) => setCode(event.target.value.toUpperCase())}
              />
            )}
          </Field>
          {show.error && <Failure error={show.error} />}
          <Button look="primary" type="submit" busy={show.isPending}>
            {text.device.look}
          </Button>
        </form>
      </Bare>
    )
  }
  const error = approve.error ?? deny.error
  return (
    <Bare title={text.device.ask}>
      <p>{text.device.askDetail}</p>
      <Properties
        of={[
          [
            text.device.code,
            <span key="c" className="mono">
              {code}
            </span>,
          ],
          [text.device.program, device.user_agent ?? text.sessions.unknown],
          [
            text.device.from,
            <span key="i" className="mono">
              {device.ip ?? '–'}
            </span>,
          ],
          [text.device.since, <Time key="t" at={device.created_at} />],
        ]}
      />
      <AsWhom />
      <p className="once">{text.device.warning}</p>
      {error && <Failure error={error} />}
      <div className="decide">
        <Button busy={deny.isPending} onClick={() => deny.mutate(undefined)}>
          {text.device.deny}
        </Button>
        <Button look="primary" busy={approve.isPending} onClick={() => approve.mutate(undefined)}>
          {text.device.approve}
        </Button>
      </div>
    </Bare>
  )
}

/** As whom, and where: what is approved acts with this person's rights. */
export function AsWhom() {
  const text = useText()
  const me = useQuery(queries.me()).data
  return me ? <p>{shown(text.device.asWhom(me.principal.display, me.org.name))}</p> : null
}
