import { Link } from '@tanstack/react-router'
import { type FormEvent, useEffect, useState } from 'react'
import { answered, api } from '../../api/client'
import { Problem } from '../../api/problem'
import { useChange } from '../../hooks/change'
import { forgetFragment, useFragment } from '../../hooks/fragment'
import { Bare } from '../../layouts/bare'
import { paths } from '../../paths'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Failure } from '../../ui/page'
import { InputFor } from './fields'
import { NewPassword } from './new-password'

/** With the token of a letter: a new password. Without one: the letter. */
export default function ResetPage() {
  const text = useText()
  const token = useFragment()
  useEffect(() => {
    document.title = `${text.signIn.reset} · Safeconduct`
  }, [text])
  return <Bare title={text.signIn.reset}>{token ? <Reset token={token} /> : <Forgot />}</Bare>
}

function Forgot() {
  const text = useText()
  const [email, setEmail] = useState('')
  const ask = useChange((email: string) =>
    answered(api.POST('/api/v1/auth/password/forgot', { body: { email } })),
  )
  const refused = ask.error instanceof Problem ? ask.error : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    ask.mutate(email)
  }
  if (ask.isSuccess)
    return (
      <>
        <p role="status">{text.signIn.letterSent(email)}</p>
        <Back />
      </>
    )
  return (
    <form className="form" onSubmit={submit}>
      <p>{text.signIn.forgotDetail}</p>
      <InputFor name="email" value={email} error={refused?.of('email')} onChange={setEmail} />
      {ask.error && <Failure error={ask.error} />}
      <Button look="primary" type="submit" busy={ask.isPending}>
        {text.signIn.sendLetter}
      </Button>
      <Back />
    </form>
  )
}

function Reset({ token }: { token: string }) {
  const text = useText()
  const [password, setPassword] = useState('')
  const reset = useChange(
    (password: string) => answered(api.POST('/api/v1/auth/password/reset', { body: { token, password } })),
    forgetFragment,
  )
  const refused = reset.error instanceof Problem ? reset.error : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    reset.mutate(password)
  }
  if (reset.isSuccess)
    return (
      <>
        <p role="status">{text.signIn.resetDone}</p>
        <Back />
      </>
    )
  return (
    <form className="form" onSubmit={submit}>
      <p>{text.signIn.resetDetail}</p>
      <NewPassword value={password} error={refused?.of('password')} onChange={setPassword} />
      {reset.error && <Failure error={reset.error} />}
      <Button look="primary" type="submit" busy={reset.isPending}>
        {text.signIn.setPassword}
      </Button>
      <Back />
    </form>
  )
}

function Back() {
  const text = useText()
  return (
    <Link className="aside" to={paths.signIn}>
      {text.signIn.toSignIn}
    </Link>
  )
}
