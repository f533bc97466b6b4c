import { type FormEvent, useState } from 'react'
import { answered, api } from '../../api/client'
import type { Login, Way } from '../../api/types'
import { useChange } from '../../hooks/change'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Failure } from '../../ui/page'
import { InputFor } from './fields'

interface SecondFactorProps {
  step: { state: string; ways: Way[] }
  onDone: (login: Login) => void
  onRestart: () => void
}

/** The second step: a code of the authenticator app, or one of those on paper. */
export function SecondFactor({ step, onDone, onRestart }: SecondFactorProps) {
  const text = useText()
  const [way, setWay] = useState(step.ways[0] ?? 'totp')
  const [code, setCode] = useState('')
  const send = useChange(
    (body: { state: string; way: Way; code: string }) =>
      answered(api.POST('/api/v1/auth/second-factor', { body })),
    onDone,
  )
  const submit = (event: FormEvent) => {
    event.preventDefault()
    send.mutate({ state: step.state, way, code: code.trim() })
  }
  const other = step.ways.find((one) => one !== way)
  return (
    <form className="form" onSubmit={submit} aria-label={text.signIn.second}>
      <p>{text.signIn.secondDetail[way as 'totp']}</p>
      <InputFor
        key={way}
        name={way === 'recovery' ? 'recovery' : 'code'}
        value={code}
        focused
        onChange={setCode}
      />
      {send.error && <Failure error={send.error} />}
      <Button look="primary" type="submit" busy={send.isPending}>
        {text.signIn.enter}
      </Button>
      {other && (
        <Button
          look="ghost"
          onClick={() => {
            setWay(other)
            setCode('')
            send.reset()
          }}
        >
          {text.signIn.useWay[other as 'totp']}
        </Button>
      )}
      <Button look="ghost" onClick={onRestart}>
        {text.signIn.restart}
      </Button>
    </form>
  )
}
