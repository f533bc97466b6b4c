import { getRouteApi } from '@tanstack/react-router'
import { useEffect } from 'react'
import { Bare } from '../../layouts/bare'
import { useText } from '../../text'
import { ownPage } from './own-page'
import { Ways } from './ways'

const route = getRouteApi('/sign-in')

/** The sign-in page by its own address: `?org=` names the organization, `?return_to=` a page of the console. */
export default function SignInPage() {
  const text = useText()
  const { org, return_to } = route.useSearch()
  const navigate = route.useNavigate()
  const returnTo = ownPage(return_to, location.origin)
  useEffect(() => {
    document.title = `${text.signedOut.title} · Safeconduct`
  }, [text])
  return (
    <Bare title={text.signedOut.title}>
      <Ways
        org={org}
        returnTo={returnTo}
        onOrg={(org) => void navigate({ search: { ...(org && { org }), ...(return_to && { return_to }) } })}
        onDone={(login) => location.assign(login.return_to ?? returnTo)}
      />
    </Bare>
  )
}
