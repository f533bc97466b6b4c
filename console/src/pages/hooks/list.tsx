import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import { queries } from '../../api/queries'
import type { Hook } from '../../api/types'
import { HookForm } from '../../forms/hook'
import { wayOf } from '../../forms/hook-draft'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { FilterBar } from '../../table/filters'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Dialog } from '../../ui/dialog'
import { Name, shown } from '../../ui/name'
import { Empty, PageHeader } from '../../ui/page'
import { Status } from '../../ui/status'
import { Time } from '../../ui/time'
import { ShownHook } from './shown'

const route = getRouteApi('/shell/hooks')

/** Hooks: who may send what where, and what it sets off. */
export default function Hooks() {
  const text = useText()
  const navigate = route.useNavigate()
  const { panel, ...filters } = route.useSearch()
  const query = useInfiniteQuery(queries.hooks(filters))
  const [made, setMade] = useState<Hook>()
  const open = (next: string | undefined) =>
    void navigate({ search: (all) => ({ ...all, ...{ panel: next as string } }) })
  const columns: Column<Hook>[] = [
    {
      id: 'path',
      head: text.hooks.path,
      cell: (hook) => (
        <span className="name">
          <span className="mono">
            <Name of={hook.path} />
          </span>
          {hook.description && <span className="muted truncate">{shown(hook.description)}</span>}
        </span>
      ),
    },
    {
      id: 'active',
      head: text.statusHead,
      cell: (hook) => <Status of={hook.active ? 'enabled' : 'disabled'} />,
    },
    {
      id: 'target',
      head: text.hooks.target,
      cell: (hook) => (
        <span className="mono">
          <Name of={hook.target.name} />
        </span>
      ),
      wide: true,
    },
    {
      id: 'believes',
      head: text.hooks.believes,
      cell: (hook) => text.hooks.ways[wayOf(hook.authentication)],
      wide: true,
    },
    {
      id: 'updated',
      head: text.updated,
      cell: (hook) => <Time at={hook.updated_at} />,
      right: true,
      wide: true,
    },
  ]
  return (
    <>
      <PageHeader
        title={text.place.hooks}
        detail={text.hooks.detail}
        actions={
          <Button look="primary" icon="plus" reason={useReason('hooks:create')} onClick={() => open('new')}>
            {text.hooks.create}
          </Button>
        }
      />
      <FilterBar
        values={filters}
        of={[
          { name: 'q', label: text.hooks.search, kind: 'search' },
          {
            name: 'active',
            label: text.statusHead,
            options: [
              ['true', text.hooks.active],
              ['false', text.hooks.inactive],
            ],
          },
        ]}
      />
      <Listing
        label={text.place.hooks}
        query={query}
        columns={columns}
        rowId={(hook) => hook.id}
        rowPath={(hook) => paths.hook(hook.id)}
        empty={
          Object.values(filters).some(Boolean) ? (
            <Empty icon="search" title={text.nothingMatches} />
          ) : (
            <Empty
              icon="hook"
              title={text.hooks.none}
              example="safeconduct hooks create github --function ops:on_push --auth hmac --preset github"
            >
              {text.hooks.noneDetail}
            </Empty>
          )
        }
      />
      {panel === 'new' && (
        <Dialog title={text.hooks.create} kind="side" onClose={() => open(undefined)}>
          <HookForm
            onDone={(hook) => {
              open(undefined)
              setMade(hook)
            }}
          />
        </Dialog>
      )}
      {made && (
        <ShownHook
          of={made}
          title={made.secret ? text.hooks.shownTitle : text.hooks.madeTitle}
          onClose={() => void navigate({ to: paths.hook(made.id) })}
        />
      )}
    </>
  )
}
