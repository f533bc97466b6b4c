import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import { answered, api } from '../api/client'
import { useChange } from '../hooks/change'
import { forgetFragment, useFragment } from '../hooks/fragment'
import { Bare } from '../layouts/bare'
import { paths } from '../paths'
import { useText } from '../text'
import { Button } from '../ui/button'
import { CodeBlock } from '../ui/copy'
import { Failure } from '../ui/page'

export default function Welcome() {
  const text = useText()
  const navigate = useNavigate()
  const client = useQueryClient()
  const token = useFragment()
  useEffect(() => {
    document.title = `${text.welcome.title} · Safeconduct`
  }, [text])
  // Redeemed only by this press: previews and scanners that open the address spend nothing.
  const redeem = useChange(
    () => answered(api.POST('/api/v1/auth/link', { body: { token } })),
    () => {
      forgetFragment()
      client.clear()
      void navigate({ to: paths.home, replace: true })
    },
  )
  if (!token) {
    return (
      <Bare title={text.welcome.noToken}>
        <p>{text.welcome.noTokenDetail}</p>
        <CodeBlock code="safeconduct admin link" label={text.example} />
      </Bare>
    )
  }
  return (
    <Bare title={text.welcome.title}>
      <p>{text.welcome.detail}</p>
      {redeem.error && <Failure error={redeem.error} />}
      <Button look="primary" busy={redeem.isPending} onClick={() => redeem.mutate(undefined)}>
        {text.welcome.enter}
      </Button>
      <p className="muted">{text.welcome.once}</p>
    </Bare>
  )
}
