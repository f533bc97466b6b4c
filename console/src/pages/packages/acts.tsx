import { useState } from 'react'
import { answered, api } from '../../api/client'
import type { Package } from '../../api/types'
import { Confirm } from '../../components/confirm'
import { useChange } from '../../hooks/change'
import { useReason } from '../../hooks/rights'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Field } from '../../ui/form'
import { Icon } from '../../ui/icon'
import { Menu, MenuItem } from '../../ui/menu'

interface Props {
  of: Package
  onRefused: (error: unknown) => void
}

/** What may be done to a package as it stands. Approving is one press; what keeps others from it asks first. */
export function PackageActs({ of: one, onRefused }: Props) {
  const text = useText()
  const [asking, setAsking] = useState<'refuse' | 'remove'>()
  const about = { of: { selector: one.name, owner: one.requested_by.id } }
  const mayDecide = useReason('packages:approve', about)
  const mayRemove = useReason('packages:delete', about)
  const approve = useChange((_: undefined, key) =>
    answered(
      api.POST('/api/v1/packages/{package}/approve', {
        body: {},
        params: { path: { package: one.id }, header: { 'Idempotency-Key': key } },
      }),
    ),
  )
  const press = () => {
    onRefused(undefined)
    approve.mutate(undefined, { onError: onRefused })
  }
  return (
    <span className="statuses">
      {one.state !== 'approved' && (
        <Button icon="check" busy={approve.isPending} reason={mayDecide} onClick={press}>
          {text.packages.approve}
        </Button>
      )}
      <Menu label={`${text.moreActions}: ${one.name}`} trigger={<Icon name="more" />}>
        {one.state !== 'refused' && (
          <MenuItem icon="minus" danger reason={mayDecide} onSelect={() => setAsking('refuse')}>
            {text.packages.refuse}
          </MenuItem>
        )}
        <MenuItem icon="cross" danger reason={mayRemove} onSelect={() => setAsking('remove')}>
          {text.packages.remove}
        </MenuItem>
      </Menu>
      {asking === 'refuse' && <Refusing of={one} onClose={() => setAsking(undefined)} />}
      {asking === 'remove' && <Removal of={one} onClose={() => setAsking(undefined)} />}
    </span>
  )
}

function Refusing({ of: one, onClose }: { of: Package; onClose: () => void }) {
  const text = useText()
  const [reason, setReason] = useState('')
  const body = reason.trim() ? { reason: reason.trim() } : {}
  const refuse = useChange(
    (_: undefined, key) =>
      answered(
        api.POST('/api/v1/packages/{package}/refuse', {
          body,
          params: { path: { package: one.id }, header: { 'Idempotency-Key': key } },
        }),
      ),
    onClose,
  )
  return (
    <Confirm
      title={text.packages.refuseTitle(one.name)}
      detail={text.packages.refuseDetail}
      act={text.packages.refuse}
      change={refuse}
      same={{
        method: 'POST',
        path: `/api/v1/packages/${one.id}/refuse`,
        body,
        cli: `safeconduct packages refuse ${one.name}`,
      }}
      onClose={onClose}
    >
      <Field label={text.packages.why} optional={text.optional}>
        {(ids) => <input {...ids} value={reason} onChange={(event) => setReason(event.target.value)} />}
      </Field>
    </Confirm>
  )
}

function Removal({ of: one, onClose }: { of: Package; onClose: () => void }) {
  const text = useText()
  const remove = useChange(
    () => answered(api.DELETE('/api/v1/packages/{package}', { params: { path: { package: one.id } } })),
    onClose,
  )
  return (
    <Confirm
      title={text.packages.removeTitle(one.name)}
      detail={text.packages.removeDetail}
      act={text.packages.remove}
      change={remove}
      same={{
        method: 'DELETE',
        path: `/api/v1/packages/${one.id}`,
        cli: `safeconduct packages remove ${one.name}`,
      }}
      onClose={onClose}
    />
  )
}
