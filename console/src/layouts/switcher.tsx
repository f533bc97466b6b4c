import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { queries } from '../api/queries'
import type { Me } from '../api/types'
import { useSwitch } from '../hooks/switch'
import { paths } from '../paths'
import { useText } from '../text'
import { Dialog } from '../ui/dialog'
import { Icon } from '../ui/icon'
import { Menu, MenuItem } from '../ui/menu'
import { Name } from '../ui/name'
import { Failure } from '../ui/page'

/** The organization that everything on the page belongs to, and the way to the person's others. */
export function Switcher({ me }: { me: Me }) {
  const text = useText()
  const navigate = useNavigate()
  const [opened, setOpened] = useState(false)
  const mine = useInfiniteQuery({ ...queries.orgs({ mine: 'true' }), enabled: opened })
  const change = useSwitch()
  const others = mine.data?.pages[0]?.items.filter((org) => org.id !== me.org.id && org.status !== 'erasing')
  const trigger = (
    <>
      <span className="truncate">
        <Name of={me.org.name} />
      </span>
      <Icon name="down" />
    </>
  )
  return (
    <div className="org">
      <Menu label={text.orgs.menu(me.org.name)} trigger={trigger} onOpen={() => setOpened(true)}>
        <MenuItem icon="edit" onSelect={() => void navigate({ to: paths.org })}>
          {text.orgs.toSettings}
        </MenuItem>
        <MenuItem icon="org" onSelect={() => void navigate({ to: paths.orgs })}>
          {text.orgs.title}
        </MenuItem>
        {others && others.length > 0 && <hr />}
        {others?.map((org) => (
          <MenuItem key={org.id} icon="arrow" onSelect={() => change.mutate(org.id)}>
            {text.orgs.switchTo(org.name)}
          </MenuItem>
        ))}
      </Menu>
      {change.error && (
        <Dialog title={text.orgs.switchFailed} kind="centre" onClose={change.reset}>
          <Failure error={change.error} />
        </Dialog>
      )}
    </div>
  )
}
