import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { Problem } from '../../api/problem'
import { queries } from '../../api/queries'
import type { Login, OfferedProvider, SecondStep } from '../../api/types'
import { useChange } from '../../hooks/change'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { CodeBlock } from '../../ui/copy'
import { Field } from '../../ui/form'
import { shown } from '../../ui/name'
import { Failure, Skeleton } from '../../ui/page'
import { InputFor } from './fields'
import { finish, type Outcome, start, type Target } from './flow'
import { SecondFactor } from './second'

interface WaysProps extends Target {
  onOrg: (slug: string | undefined) => void
  onDone: (login: Login) => void
}

/** Every way in that is switched on: one as a form, the others as buttons; then what it asks for next. */
export function Ways({ org, returnTo, onOrg, onDone }: WaysProps) {
  const text = useText()
  const offered = useQuery(queries.offered(org))
  const [chosen, setChosen] = useState<string>()
  const [input, setInput] = useState<Record<string, string>>({})
  const [asked, setAsked] = useState<{ provider: OfferedProvider; outcome: Outcome }>()
  const [second, setSecond] = useState<SecondStep>()
  const arrive = (login: Login) => {
    if (login.second_factor) setSecond(login.second_factor)
    else onDone(login)
  }
  const first = useChange(
    async ({ provider, given }: { provider: OfferedProvider; given: Record<string, string> }) => ({
      provider,
      outcome: await start(provider, given, { org, returnTo }),
    }),
    (begun) => ('login' in begun.outcome ? arrive(begun.outcome.login) : setAsked(begun)),
  )
  const restart = () => {
    setSecond(undefined)
    setAsked(undefined)
    first.reset()
  }
  if (second) return <SecondFactor step={second} onDone={onDone} onRestart={restart} />
  if (asked && 'begun' in asked.outcome)
    return <Next {...asked} outcome={asked.outcome} to={input.email} onDone={arrive} onRestart={restart} />
  if (offered.isPending) return <Skeleton />

  const providers = offered.data?.items ?? []
  const asking = providers.filter((provider) => provider.first.fields.length > 0)
  const open = asking.find((provider) => provider.id === chosen) ?? asking[0]
  const others = providers.filter((provider) => provider !== open)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (open)
      first.mutate({
        provider: open,
        given: Object.fromEntries(open.first.fields.map((name) => [name, input[name] ?? ''])),
      })
  }
  const choose = (provider: OfferedProvider) => {
    first.reset()
    if (provider.first.fields.length > 0) setChosen(provider.id)
    else first.mutate({ provider, given: {} })
  }
  const refused = first.error instanceof Problem ? first.error : undefined
  return (
    <>
      {open && (
        <form className="form" onSubmit={submit}>
          {open.first.fields.map((name) => (
            <InputFor
              key={name}
              name={name}
              value={input[name] ?? ''}
              error={refused?.in('input', name)}
              onChange={(value) => setInput({ ...input, ...sameMailbox(name, value) })}
            />
          ))}
          <Button look="primary" type="submit" busy={first.isPending && first.variables?.provider === open}>
            {open.first.step === 'begin' ? text.signIn.go : text.signIn.enter}
          </Button>
          {open.kind === 'password' && (
            <a className="aside" href="/console/reset">
              {text.signIn.forgot}
            </a>
          )}
        </form>
      )}
      {first.error && <Failure error={first.error} />}
      {others.length > 0 && (
        <div className="ways">
          {open && <p className="or muted">{text.signIn.or}</p>}
          {others.map((provider) => (
            <Button
              key={provider.id}
              icon={icons[provider.kind] ?? 'arrow'}
              busy={first.isPending && first.variables?.provider === provider}
              onClick={() => choose(provider)}
            >
              {text.signIn.by(provider.display_name)}
            </Button>
          ))}
        </div>
      )}
      {offered.error && <Failure error={offered.error} onRetry={() => void offered.refetch()} />}
      {providers.length === 0 ? <ByLink /> : <Aside />}
      <Organization slug={org} onChosen={onOrg} />
    </>
  )
}

const icons = { otp: 'mail', password: 'key', passkey: 'key' } as Record<string, 'mail' | 'key'>

/** An address that was typed for one way is there for the next. */
function sameMailbox(name: string, value: string): Record<string, string> {
  return name === 'email' || name === 'login' ? { email: value, login: value } : { [name]: value }
}

interface NextProps {
  provider: OfferedProvider
  outcome: Extract<Outcome, { begun: unknown }>
  /** Where something was sent to. */
  to?: string | undefined
  onDone: (login: Login) => void
  onRestart: () => void
}

function Next({ provider, outcome: { begun, fields }, to, onDone, onRestart }: NextProps) {
  const text = useText()
  const [input, setInput] = useState<Record<string, string>>({})
  const send = useChange((given: Record<string, string>) => finish(provider, begun, given), onDone)
  const refused = send.error instanceof Problem ? send.error : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    send.mutate(input)
  }
  return (
    <form className="form" onSubmit={submit}>
      {fields.includes('code') && <p>{shown(text.signIn.sent(to ?? ''))}</p>}
      {fields.map((name, index) => (
        <InputFor
          key={name}
          name={name}
          value={input[name] ?? ''}
          error={refused?.in('input', name)}
          focused={index === 0}
          onChange={(value) => setInput({ ...input, [name]: value })}
        />
      ))}
      {send.error && <Failure error={send.error} />}
      <Button look="primary" type="submit" busy={send.isPending}>
        {text.signIn.enter}
      </Button>
      <Button look="ghost" onClick={onRestart}>
        {text.signIn.restart}
      </Button>
    </form>
  )
}

/** Nobody set a way in up yet: a link from the server's own terminal is the way. */
function ByLink() {
  const text = useText()
  return (
    <>
      <p>{text.signedOut.detail}</p>
      <CodeBlock code="safeconduct admin link" label={text.example} />
      <p className="muted">{text.signedOut.where}</p>
    </>
  )
}

function Aside() {
  const text = useText()
  return (
    <details className="further">
      <summary>{text.signIn.noWay}</summary>
      <ByLink />
    </details>
  )
}

/** Ways in of one organization, by its short name. */
function Organization({ slug, onChosen }: { slug: string | undefined; onChosen: (slug?: string) => void }) {
  const text = useText()
  const [typed, setTyped] = useState('')
  if (slug) {
    return (
      <p className="muted">
        {text.signIn.into} <span className="mono">{shown(slug)}</span>{' '}
        <Button look="ghost" onClick={() => onChosen(undefined)}>
          {text.signIn.intoAny}
        </Button>
      </p>
    )
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onChosen(typed.trim().toLowerCase())
  }
  return (
    <details className="further">
      <summary>{text.signIn.certain}</summary>
      <form className="form" onSubmit={submit}>
        <Field label={text.signIn.slug} hint={text.signIn.slugHint}>
          {(ids) => (
            <input
              {...ids}
              className="mono"
              value={typed}
              required
              pattern="[a-zA-Z0-9\-]+"
              autoCapitalize="off"
              spellCheck={false}
              onChange={(event) => setTyped(event.target.value)}
            />
          )}
        </Field>
        <Button type="submit">{text.signIn.showWays}</Button>
      </form>
    </details>
  )
}
