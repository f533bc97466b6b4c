import { Link } from '@tanstack/react-router'
import { paths } from '../paths'
import { useText } from '../text'
import { Icon, type IconName } from '../ui/icon'

type PlaceName =
  | 'home'
  | 'agents'
  | 'functions'
  | 'runs'
  | 'schedules'
  | 'queues'
  | 'packages'
  | 'hooks'
  | 'configuration'
  | 'secrets'
  | 'state'
  | 'files'
  | 'audit'
  | 'org'
  | 'members'
  | 'groups'
  | 'roles'
  | 'apiKeys'
  | 'policies'
  | 'access'
  | 'providers'

interface Place {
  name: PlaceName
  path: string
  icon: IconName
}

export const places: { group: 'build' | 'run' | 'trust' | 'admin' | undefined; places: Place[] }[] = [
  { group: undefined, places: [{ name: 'home', path: paths.home, icon: 'home' }] },
  {
    group: 'run',
    places: [
      { name: 'runs', path: paths.runs, icon: 'run' },
      { name: 'schedules', path: paths.schedules, icon: 'clock' },
      { name: 'queues', path: paths.queues, icon: 'queue' },
      { name: 'state', path: paths.state, icon: 'store' },
      { name: 'files', path: paths.files, icon: 'file' },
    ],
  },
  {
    group: 'build',
    places: [
      { name: 'agents', path: paths.agents, icon: 'agent' },
      { name: 'functions', path: paths.functions, icon: 'function' },
      { name: 'packages', path: paths.packages, icon: 'package' },
      { name: 'hooks', path: paths.hooks, icon: 'hook' },
      { name: 'secrets', path: paths.secrets, icon: 'key' },
      { name: 'configuration', path: paths.configuration, icon: 'plan' },
    ],
  },
  {
    group: 'trust',
    places: [
      { name: 'policies', path: paths.policies, icon: 'rule' },
      { name: 'access', path: paths.access, icon: 'branch' },
      { name: 'audit', path: paths.audit, icon: 'audit' },
    ],
  },
  {
    group: 'admin',
    places: [
      { name: 'org', path: paths.org, icon: 'org' },
      { name: 'members', path: paths.members, icon: 'user' },
      { name: 'groups', path: paths.groups, icon: 'users' },
      { name: 'roles', path: paths.roles, icon: 'role' },
      { name: 'providers', path: paths.providers, icon: 'seal' },
      { name: 'apiKeys', path: paths.apiKeys, icon: 'key' },
    ],
  },
]

export function Navigation({ onChosen }: { onChosen?: () => void }) {
  const text = useText()
  return (
    <nav className="places" aria-label={text.places}>
      {places.map(({ group, places }) => (
        <div key={group ?? 'home'}>
          {group && <p>{text.groups[group]}</p>}
          <ul>
            {places.map((place) => (
              <li key={place.name}>
                <Link
                  to={place.path}
                  activeOptions={{ exact: place.name === 'home', includeSearch: false }}
                  {...(onChosen && { onClick: onChosen })}
                >
                  <Icon name={place.icon} />
                  {text.place[place.name]}
                </Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  )
}
