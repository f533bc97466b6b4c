import { getRouteApi } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useFragment } from '../../hooks/fragment'
import { Bare } from '../../layouts/bare'
import { useText } from '../../text'
import { Icon } from '../../ui/icon'
import { ownPage } from './own-page'
import { lineOf, refusalIn } from './refusal'
import { Ways } from './ways'

const route = getRouteApi('/sign-in')

/**
 * The sign-in page by its own address: `?org=` names the organization, `?return_to=` a page of the console, and `#error=` what
 * a provider's way back ended in.
 */
export default function SignInPage() {
  const text = useText()
  const { org, return_to } = route.useSearch()
  const navigate = route.useNavigate()
  const refusal = refusalIn(useFragment())
  const returnTo = ownPage(return_to, location.origin)
  useEffect(() => {
    document.title = `${text.signedOut.title} · Safeconduct`
  }, [text])
  return (
    <Bare title={text.signedOut.title}>
      {refusal && <Refusal code={refusal} />}
      <Ways
        org={org}
        returnTo={returnTo}
        onOrg={(org) => void navigate({ search: { ...(org && { org }), ...(return_to && { return_to }) } })}
        onDone={(login) => location.assign(login.return_to ?? returnTo)}
      />
    </Bare>
  )
}

/** Why the way back from a provider led here, with the page that tells more of it. */
function Refusal({ code }: { code: string }) {
  const text = useText()
  return (
    <div className="failure" role="alert">
      <Icon name="alert" />
      <div>
        <strong>{text.signIn.refused.title}</strong>
        <p>{lineOf(text, code)}</p>
        <p className="muted">
          <a href={`/docs/errors/${code}`}>
            {text.signIn.refused.more} <span className="mono">{code}</span>
          </a>
        </p>
      </div>
    </div>
  )
}
