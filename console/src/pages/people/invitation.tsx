import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { type FormEvent, useEffect, useState } from 'react'
import { answered, api } from '../../api/client'
import { Problem } from '../../api/problem'
import { queries } from '../../api/queries'
import type { Me } from '../../api/types'
import { useChange } from '../../hooks/change'
import { forgetFragment, useFragment } from '../../hooks/fragment'
import { useSwitch } from '../../hooks/switch'
import { Bare } from '../../layouts/bare'
import { paths } from '../../paths'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Field } from '../../ui/form'
import { shown } from '../../ui/name'
import { Failure, Skeleton } from '../../ui/page'

/** Where the link of an invitation leads. Opening it takes nothing; the press does. */
export default function InvitationPage() {
  const text = useText()
  const token = useFragment()
  const me = useQuery(queries.me())
  useEffect(() => {
    document.title = `${text.people.acceptTitle} · Safeconduct`
  }, [text])
  if (!token) {
    return (
      <Bare title={text.welcome.noToken}>
        <p>{text.people.acceptNoToken}</p>
        <Link to={paths.home}>{text.toHome}</Link>
      </Bare>
    )
  }
  return (
    <Bare title={text.people.acceptTitle}>
      {me.isPending ? <Skeleton /> : me.data ? <Joining token={token} me={me.data} /> : <New token={token} />}
    </Bare>
  )
}

/** Somebody who is signed in becomes a member, and goes over to the organization. */
function Joining({ token, me }: { token: string; me: Me }) {
  const text = useText()
  const change = useSwitch()
  const accept = useChange(
    () => answered(api.POST('/api/v1/invitations/accept', { body: { token } })),
    ({ org }) => {
      forgetFragment()
      change.mutate(org.id)
    },
  )
  return (
    <>
      <p>{shown(text.people.acceptAs(me.principal.display))}</p>
      {accept.error && <Failure error={accept.error} />}
      {change.error && <Failure error={change.error} />}
      <Button
        look="primary"
        busy={accept.isPending || change.isPending}
        onClick={() => accept.mutate(undefined)}
      >
        {text.people.accept}
      </Button>
    </>
  )
}

/** Somebody whom the instance does not know yet. Whoever it does know signs in first. */
function New({ token }: { token: string }) {
  const text = useText()
  const navigate = useNavigate()
  const client = useQueryClient()
  const [name, setName] = useState('')
  const body = { token, ...(name.trim() && { display_name: name.trim() }) }
  const accept = useChange(
    () => answered(api.POST('/api/v1/auth/invitation', { body })),
    () => {
      forgetFragment()
      client.clear()
      void navigate({ to: paths.home, replace: true })
    },
  )
  const known = accept.error instanceof Problem && accept.error.code === 'sign_in_first'
  const submit = (event: FormEvent) => {
    event.preventDefault()
    accept.mutate(undefined)
  }
  return (
    <form className="form" onSubmit={submit}>
      <p>{text.people.acceptDetail}</p>
      <Field label={text.people.yourName} optional={text.optional}>
        {(ids) => (
          <input
            {...ids}
            autoComplete="name"
            maxLength={200}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      {accept.error && <Failure error={accept.error} />}
      {known && (
        <p>
          <Link to={paths.home}>{text.signedOut.title}</Link>
        </p>
      )}
      <Button type="submit" look="primary" busy={accept.isPending}>
        {text.people.accept}
      </Button>
      <p className="muted">{text.people.acceptOnce}</p>
    </form>
  )
}
