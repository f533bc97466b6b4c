import { useNavigate } from '@tanstack/react-router'
import { answered, api } from '../api/client'
import type { Me } from '../api/types'
import { useChange } from '../hooks/change'
import { paths } from '../paths'
import { useText } from '../text'
import { shortId } from '../ui/copy'
import { Icon } from '../ui/icon'
import { Menu, MenuItem } from '../ui/menu'
import { legible, Name } from '../ui/name'

/** Who is signed in, and the way out. */
export function Account({ me }: { me: Me }) {
  const text = useText()
  const navigate = useNavigate()
  const leave = useChange(() => answered(api.POST('/api/v1/auth/logout')))
  const trigger = (
    <>
      <span className="avatar" aria-hidden="true" data-initials={initials(legible(me.principal.display))} />
      <Icon name="down" />
    </>
  )
  return (
    <Menu label={text.account(me.principal.display)} trigger={trigger}>
      <div className="whoami" role="presentation">
        <strong>
          <Name of={me.principal.display} />
        </strong>
        <span className="mono muted" title={me.principal.id}>
          {shortId(me.principal.id)}
        </span>
        <span className="muted">
          <Name of={`${me.org.name} · ${me.roles.join(', ')}`} />
        </span>
      </div>
      <hr />
      <MenuItem icon="session" onSelect={() => void navigate({ to: paths.sessions })}>
        {text.sessions.title}
      </MenuItem>
      <MenuItem icon="key" onSelect={() => void navigate({ to: paths.myApiKeys })}>
        {text.apiKey.mine}
      </MenuItem>
      <MenuItem icon="org" onSelect={() => void navigate({ to: paths.orgs })}>
        {text.orgs.title}
      </MenuItem>
      <MenuItem icon="seal" onSelect={() => void navigate({ to: paths.security })}>
        {text.security.title}
      </MenuItem>
      <MenuItem icon="leave" onSelect={() => leave.mutate(undefined)}>
        {text.signOut}
      </MenuItem>
    </Menu>
  )
}

function initials(name: string): string {
  const words = name.split(/[\s@._-]+/).filter(Boolean)
  return (words[0]?.[0] ?? '?').concat(words[1]?.[0] ?? '').toUpperCase()
}
