import { getRouteApi } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { answered, api } from '../../api/client'
import { useChange } from '../../hooks/change'
import { Bare } from '../../layouts/bare'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Failure, Properties } from '../../ui/page'
import { AsWhom } from './device'

const route = getRouteApi('/gate/authorize')

/** A command line on this machine waits for the person's word; the server has checked what it asks for. */
export default function AuthorizePage() {
  const text = useText()
  const { client_id = '', redirect_uri = '', code_challenge = '', state } = route.useSearch()
  const [denied, setDenied] = useState(false)
  useEffect(() => {
    document.title = `${text.device.ask} · Safeconduct`
  }, [text])
  const approve = useChange(
    () => {
      const body = { client_id, redirect_uri, code_challenge, ...(state !== undefined && { state }) }
      return answered(api.POST('/api/v1/auth/authorize', { body }))
    },
    // The server answers a loopback address only.
    ({ redirect_to }) => location.assign(redirect_to),
  )
  if (denied) {
    return (
      <Bare title={text.device.denied}>
        <p role="status">{text.device.nothingHappened}</p>
      </Bare>
    )
  }
  return (
    <Bare title={text.device.ask}>
      <p>{text.device.askHere}</p>
      <Properties
        of={[
          [text.device.program, text.device.commandLine],
          [
            text.device.waitsAt,
            <span key="w" className="mono">
              {hostOf(redirect_uri)}
            </span>,
          ],
        ]}
      />
      <AsWhom />
      <p className="once">{text.device.warning}</p>
      {approve.error && <Failure error={approve.error} />}
      <div className="decide">
        <Button onClick={() => setDenied(true)}>{text.device.deny}</Button>
        <Button
          look="primary"
          busy={approve.isPending || approve.isSuccess}
          onClick={() => approve.mutate(undefined)}
        >
          {text.device.approve}
        </Button>
      </div>
    </Bare>
  )
}

function hostOf(address: string): string {
  try {
    return new URL(address).host
  } catch {
    return '–'
  }
}
