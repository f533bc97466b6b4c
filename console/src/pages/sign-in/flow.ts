/** The way in: begin where there is something to begin, send what was asked for, and what the browser itself must answer. */

import { answered, api } from '../../api/client'
import type { Begun, Body, Login, OfferedProvider } from '../../api/types'

export interface Target {
  /** Slug of the organization to sign in to. */
  org?: string | undefined
  /** A path of this server. */
  returnTo: string
}

/** What people typed, by the names of the fields; or what a passkey answered. */
type Input = Record<string, unknown>

/** Somebody is in or half in; or the provider wants to know more. */
export type Outcome = { login: Login } | { begun: Begun; fields: string[] }

const at = (provider: OfferedProvider) => ({ params: { path: { provider: provider.id } } })

export async function start(provider: OfferedProvider, input: Input, target: Target): Promise<Outcome> {
  const org = target.org ? { org: target.org } : {}
  if (provider.first.step === 'login') {
    const body = { input, ...org } as Body<'auth.login'>
    return { login: await answered(api.POST('/api/v1/auth/{provider}/login', { ...at(provider), body })) }
  }
  const body = { input, return_to: target.returnTo, ...org } as Body<'auth.begin'>
  const begun = await answered(api.POST('/api/v1/auth/{provider}/begin', { ...at(provider), body }))
  const { next } = begun
  if (next.do === 'redirect') {
    location.assign(next.url)
    // The page is about to go; what waits for an answer waits until then.
    return new Promise(() => {})
  }
  if (next.do === 'ask') return { begun, fields: next.fields }
  const credential = await assertion(next.options)
  return { login: await finish(provider, begun, { credential }) }
}

export function finish(provider: OfferedProvider, begun: Begun, input: Input): Promise<Login> {
  const body = { state: begun.state, input } as Body<'auth.login'>
  return answered(api.POST('/api/v1/auth/{provider}/login', { ...at(provider), body }))
}

/** What a passkey of this person answers, as the server reads it. */
export async function assertion(options: object): Promise<unknown> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(
    options as PublicKeyCredentialRequestOptionsJSON,
  )
  const found = await navigator.credentials.get({ publicKey })
  return (found as PublicKeyCredential).toJSON()
}

/** The same for a passkey that is made. */
export async function creation(options: object): Promise<Record<string, unknown>> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(
    options as PublicKeyCredentialCreationOptionsJSON,
  )
  const made = await navigator.credentials.create({ publicKey })
  return (made as PublicKeyCredential).toJSON() as unknown as Record<string, unknown>
}
