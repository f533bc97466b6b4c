import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { useFragment } from '../../hooks/fragment'
import { Bare } from '../../layouts/bare'
import { paths } from '../../paths'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { ownPage } from './own-page'
import { SecondFactor } from './second'

/** Where the server sends a browser that came back from an identity provider and owes a second factor. */
export default function SecondFactorPage() {
  const text = useText()
  const navigate = useNavigate()
  const state = useFragment()
  const [over, setOver] = useState(false)
  useEffect(() => {
    document.title = `${text.signIn.second} · Safeconduct`
  }, [text])
  const restart = () => void navigate({ to: paths.signIn })
  return (
    <Bare title={text.signIn.second}>
      {state && !over ? (
        <SecondFactor
          step={{ state, ways: ['totp', 'recovery'] }}
          onDone={(login) => {
            setOver(true)
            location.assign(login.return_to ?? ownPage(undefined, location.origin))
          }}
          onRestart={restart}
        />
      ) : (
        <>
          <p>{text.signIn.nothingBegun}</p>
          <Button look="primary" onClick={restart}>
            {text.signIn.restart}
          </Button>
        </>
      )}
    </Bare>
  )
}
