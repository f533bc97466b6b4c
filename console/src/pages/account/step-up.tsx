import type { UseQueryResult } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { answered, api } from '../../api/client'
import { Problem } from '../../api/problem'
import type { Answer, Body, Way } from '../../api/types'
import { useChange } from '../../hooks/change'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { CodeBlock } from '../../ui/copy'
import { Dialog } from '../../ui/dialog'
import { Failure, Skeleton } from '../../ui/page'
import { InputFor } from '../sign-in/fields'
import { assertion } from '../sign-in/flow'

interface StepUpProps {
  ways: UseQueryResult<Answer<'auth.step_up_ways'>>
  onDone: () => void
  onClose: () => void
}

/** Confirm that it is still you; then what was asked for is done. */
export function StepUpDialog({ ways, onDone, onClose }: StepUpProps) {
  const text = useText()
  const [chosen, setChosen] = useState<Way>()
  const offered = ways.data?.ways ?? []
  const way = chosen ?? offered[0]
  return (
    <Dialog title={text.stepUp.title} kind="centre" onClose={onClose}>
      {ways.isPending && <Skeleton />}
      {ways.error && <Failure error={ways.error} onRetry={() => void ways.refetch()} />}
      {way && (
        <>
          <p>{text.stepUp.detail}</p>
          {offered.length > 1 && (
            <fieldset className="choices">
              <legend>{text.stepUp.by}</legend>
              {offered.map((one) => (
                <label key={one}>
                  <input type="radio" name="way" checked={one === way} onChange={() => setChosen(one)} />
                  <span>{text.stepUp.ways[one]}</span>
                </label>
              ))}
            </fieldset>
          )}
          <Proof key={way} way={way} onDone={onDone} onClose={onClose} />
        </>
      )}
      {ways.data && !way && (
        <>
          <p>{text.stepUp.noWay}</p>
          <CodeBlock code="safeconduct admin link" label={text.example} />
          <footer>
            <Button onClick={onClose}>{text.close}</Button>
          </footer>
        </>
      )}
    </Dialog>
  )
}

/** What the way's input is called. */
const fields: Record<Way, 'code' | 'recovery' | 'password' | undefined> = {
  totp: 'code',
  recovery: 'recovery',
  password: 'password',
  otp: 'code',
  passkey: undefined,
}

function Proof({ way, onDone, onClose }: { way: Way; onDone: () => void; onClose: () => void }) {
  const text = useText()
  const [typed, setTyped] = useState('')
  const [state, setState] = useState<string>()
  const confirm = useChange(
    ({ input, state }: { input: Record<string, unknown>; state?: string | undefined }) =>
      answered(
        api.POST('/api/v1/auth/step-up', {
          body: { way, input, ...(state && { state }) } as Body<'auth.step_up'>,
        }),
      ),
    onDone,
  )
  const begin = useChange(
    async () => {
      const begun = await answered(api.POST('/api/v1/auth/step-up/begin', { body: { way } }))
      const credential = begun.next.do === 'webauthn' ? await assertion(begun.next.options) : undefined
      return { begun, credential }
    },
    ({ begun, credential }) => {
      setState(begun.state)
      if (credential) confirm.mutate({ state: begun.state, input: { credential } })
    },
  )
  const field = fields[way]
  const isSent = way !== 'otp' || state !== undefined
  const error = confirm.error ?? begin.error
  const refused = error instanceof Problem ? error : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (way === 'passkey' || !isSent) begin.mutate(undefined)
    else confirm.mutate({ state, input: { [field === 'password' ? 'password' : 'code']: typed.trim() } })
  }
  return (
    <form className="form" onSubmit={submit}>
      {field && isSent && (
        <InputFor
          name={field}
          value={typed}
          error={refused?.in('input', field)}
          focused
          onChange={setTyped}
        />
      )}
      {error && <Failure error={error} />}
      <footer>
        <Button onClick={onClose}>{text.cancel}</Button>
        <Button type="submit" look="primary" busy={confirm.isPending || begin.isPending}>
          {isSent ? text.stepUp.confirm : text.stepUp.send}
        </Button>
      </footer>
    </form>
  )
}
