import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { answered, api } from '../../api/client'
import { queries } from '../../api/queries'
import type { Secret, SecretDetail } from '../../api/types'
import { Confirm } from '../../components/confirm'
import { command } from '../../components/equivalent'
import { Loaded } from '../../components/loaded'
import { SecretDescription, SecretForm } from '../../forms/secret'
import { useChange } from '../../hooks/change'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Copyable } from '../../ui/copy'
import { Dialog } from '../../ui/dialog'
import { Icon } from '../../ui/icon'
import { Menu, MenuItem } from '../../ui/menu'
import { shown } from '../../ui/name'
import { PageHeader, Properties, Section } from '../../ui/page'
import { Time } from '../../ui/time'

const route = getRouteApi('/shell/secrets/$secret')

/** What is known of one secret: never its value. */
export default function SecretPage() {
  const text = useText()
  const { secret: name } = route.useParams()
  const { panel } = route.useSearch()
  const navigate = route.useNavigate()
  const query = useQuery(queries.secret(name))
  const open = (next: string | undefined) => void navigate({ search: { panel: next as string } })
  const close = () => open(undefined)
  const above = <Link to={paths.secrets}>{text.place.secrets}</Link>
  return (
    <Loaded query={query} title={name} above={above}>
      {(secret) => (
        <>
          <PageHeader
            title={secret.name}
            above={above}
            detail={
              <>
                <Copyable value={secret.id} />
                {secret.description && <span>{shown(secret.description)}</span>}
              </>
            }
            actions={<Actions of={secret} open={open} />}
          />
          <About of={secret} />
          {panel === 'replace' && (
            <Dialog title={text.secrets.replaceTitle(secret.name)} kind="side" onClose={close}>
              <SecretForm of={secret} onDone={close} />
            </Dialog>
          )}
          {panel === 'edit' && (
            <Dialog title={text.secrets.describeTitle(secret.name)} kind="side" onClose={close}>
              <SecretDescription of={secret} onDone={close} />
            </Dialog>
          )}
          {panel === 'delete' && (
            <Removing of={secret} onClose={close} onDone={() => void navigate({ to: paths.secrets })} />
          )}
        </>
      )}
    </Loaded>
  )
}

function Actions({ of: secret, open }: { of: Secret; open: (panel: string) => void }) {
  const text = useText()
  const of = { selector: secret.name, owner: secret.owner }
  const mayUpdate = useReason('secrets:update', { of })
  const mayDelete = useReason('secrets:delete', { of })
  return (
    <>
      <Button look="primary" icon="key" reason={mayUpdate} onClick={() => open('replace')}>
        {text.secrets.replace}
      </Button>
      <Button icon="edit" reason={mayUpdate} onClick={() => open('edit')}>
        {text.secrets.describe}
      </Button>
      <Menu label={text.moreActions} trigger={<Icon name="more" />}>
        <MenuItem icon="cross" danger reason={mayDelete} onSelect={() => open('delete')}>
          {text.secrets.remove}
        </MenuItem>
      </Menu>
    </>
  )
}

function About({ of: secret }: { of: SecretDetail }) {
  const text = useText()
  const { vault } = secret
  return (
    <div className="columns">
      <Section title={text.secrets.goesTo}>
        <Properties
          of={[
            [text.secrets.goesTo, secret.hosts.length > 0 ? secret.hosts.join(', ') : text.secrets.toCode],
            [
              text.secrets.kept,
              vault ? `Vault: ${vault.mount}/${vault.path}#${vault.key}` : text.secrets.sealed,
            ],
            [text.secrets.version, secret.version],
            [text.secrets.since, <Time key="since" at={secret.replaced_at} />],
            [text.agents.owner, <Copyable key="owner" value={secret.owner} />],
            [text.created, <Time key="created" at={secret.created_at} />],
          ]}
        />
      </Section>
      <Section title={text.secrets.usedBy}>
        {secret.used_by.length === 0 && <p className="muted">{text.secrets.nobody}</p>}
        <ul>
          {secret.used_by.map((name) => (
            <li key={name}>
              <Link className="mono" to={paths.fn(name.replace('/', ':'))}>
                {name.replace('/', ':')}
              </Link>
            </li>
          ))}
        </ul>
      </Section>
    </div>
  )
}

interface RemovingProps {
  of: Secret
  onClose: () => void
  onDone: () => void
}

function Removing({ of: secret, onClose, onDone }: RemovingProps) {
  const text = useText()
  const path = { secret: secret.id }
  const change = useChange(
    () => answered(api.DELETE('/api/v1/secrets/{secret}', { params: { path } })),
    onDone,
  )
  return (
    <Confirm
      title={text.secrets.removeTitle(secret.name)}
      detail={text.secrets.removeDetail}
      name={secret.name}
      act={text.secrets.remove}
      change={change}
      same={{
        method: 'DELETE',
        path: `/api/v1/secrets/${secret.name}`,
        cli: command('safeconduct secrets delete', secret.name),
      }}
      onClose={onClose}
    />
  )
}
