import { Link } from '@tanstack/react-router'
import { Fragment } from 'react'
import { useName } from '../hooks/names'
import { placeOf } from '../paths'
import { useText } from '../text'
import { Copyable, shortId } from '../ui/copy'
import { Icon, type IconName } from '../ui/icon'
import { legible, Name } from '../ui/name'

const icons: Record<string, IconName> = {
  user: 'user',
  agent: 'agent',
  function: 'function',
  run: 'run',
  hook: 'hook',
  system: 'system',
  credential: 'key',
  session: 'session',
  token: 'key',
  org: 'org',
  group: 'users',
  role: 'role',
  schedule: 'clock',
}

export interface Identity {
  kind: string
  id?: string | null | undefined
  display?: string | null | undefined
}

/** The same small chip for whoever acts or is acted upon, everywhere. */
export function Chip({ of }: { of: Identity }) {
  const text = useText()
  const place = of.id ? placeOf(of.id) : undefined
  const kind = (text.kinds as Record<string, string>)[of.kind] ?? of.kind
  const known = useName(of.display ? undefined : of.id)
  const plain = of.display || known || (of.id ? shortId(of.id) : kind)
  // The name of a part of the server, such as “people”, would be read as somebody else.
  const own = of.kind === 'system'
  const part = own && of.display && ((text.parts as Record<string, string>)[of.display] ?? of.display)
  const name = part ? `${kind}: ${part}` : plain
  const inside = (
    <>
      <Icon name={icons[of.kind] ?? 'unknown'} />
      {!own && <span className="visually-hidden">{kind} </span>}
      <span className="truncate">
        <Name of={name} />
      </span>
    </>
  )
  const hover = legible(of.id ? `${kind} ${of.id}` : kind)
  return place ? (
    <Link className="chip" to={place} title={hover}>
      {inside}
    </Link>
  ) : (
    <span className="chip" title={hover}>
      {inside}
    </span>
  )
}

/** Who acted, on behalf of whom: chips with words between them, whoever acted first. */
export function Chain({ of }: { of: Identity[] }) {
  const text = useText()
  return (
    <span className="chain">
      {of.map((identity, at) => (
        <Fragment key={`${identity.kind}:${identity.id ?? at}`}>
          {at > 0 && <span className="muted"> {text.onBehalfOf} </span>}
          <Chip of={identity} />
        </Fragment>
      ))}
    </span>
  )
}

/** An id: a link where it has a page, with the whole of it to copy. */
export function Id({ of, short }: { of: string | null | undefined; short?: boolean }) {
  if (!of) return <span className="muted">–</span>
  const place = placeOf(of)
  const shown = short ? shortId(of) : of
  return place && short ? (
    <Link className="mono" to={place} title={of}>
      {shown}
    </Link>
  ) : (
    <Copyable value={of} shown={shown} />
  )
}
