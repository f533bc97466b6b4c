import { useInfiniteQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { answered, api } from '../../api/client'
import { Problem } from '../../api/problem'
import { queries } from '../../api/queries'
import type { Group, GroupMember } from '../../api/types'
import { Confirm } from '../../components/confirm'
import { command, Equivalent } from '../../components/equivalent'
import { Chip } from '../../components/identity'
import { type Principal, PrincipalField } from '../../components/principal-field'
import { useChange } from '../../hooks/change'
import { useName } from '../../hooks/names'
import { useReason } from '../../hooks/rights'
import { type Column, Listing } from '../../table/listing'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Dialog } from '../../ui/dialog'
import { Empty, Failure, Section } from '../../ui/page'
import { Time } from '../../ui/time'

/** Who is in a group. Whoever puts somebody in must hold what the group holds. */
export function Members({ of: group }: { of: Group }) {
  const text = useText()
  const query = useInfiniteQuery(queries.groupMembers(group.id))
  const [adding, setAdding] = useState(false)
  const [leaving, setLeaving] = useState<GroupMember>()
  const of = { selector: group.id, owner: '' }
  const mayAdd = useReason('groups:update', { of, stepUp: true })
  const mayTakeOut = useReason('groups:update', { of })
  const columns: Column<GroupMember>[] = [
    {
      id: 'member',
      head: text.group.member,
      cell: (member) => <Chip of={{ kind: member.kind, id: member.member }} />,
    },
    { id: 'kind', head: text.orgs.sort, cell: (member) => text.kinds[member.kind as 'user'], wide: true },
    {
      id: 'by',
      head: text.group.addedBy,
      cell: (member) => <Chip of={{ kind: 'user', id: member.added_by }} />,
      wide: true,
    },
    { id: 'when', head: text.group.added, cell: (member) => <Time at={member.added_at} />, wide: true },
    {
      id: 'out',
      head: '',
      right: true,
      cell: (member) => (
        <Button look="ghost" reason={mayTakeOut} onClick={() => setLeaving(member)}>
          {text.group.takeOut}
        </Button>
      ),
    },
  ]
  return (
    <Section
      title={text.people.members}
      actions={
        <Button icon="plus" reason={mayAdd} onClick={() => setAdding(true)}>
          {text.group.add}
        </Button>
      }
    >
      <Listing
        label={text.people.members}
        query={query}
        columns={columns}
        rowId={(member) => member.member}
        empty={
          <Empty icon="users" title={text.group.empty} example={`safeconduct groups add ${group.id} usr_…`}>
            {text.group.emptyDetail}
          </Empty>
        }
      />
      {adding && (
        <Dialog title={text.group.addTo(group.name)} kind="centre" onClose={() => setAdding(false)}>
          <Adding to={group} onClose={() => setAdding(false)} />
        </Dialog>
      )}
      {leaving && <TakingOut of={leaving} from={group} onClose={() => setLeaving(undefined)} />}
    </Section>
  )
}

function Adding({ to: group, onClose }: { to: Group; onClose: () => void }) {
  const text = useText()
  const [chosen, setChosen] = useState<Principal>()
  const body = { member: chosen?.id ?? '' }
  const add = useChange(
    (_: undefined, key) =>
      answered(
        api.POST('/api/v1/groups/{group}/members', {
          body,
          params: { path: { group: group.id }, header: { 'Idempotency-Key': key } },
        }),
      ),
    onClose,
  )
  const refused = add.error instanceof Problem ? add.error : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    add.mutate(undefined)
  }
  return (
    <form className="form" onSubmit={submit}>
      <PrincipalField
        label={text.group.member}
        kinds={['user', 'agent']}
        hint={text.group.memberHint}
        chosen={chosen}
        onChoose={setChosen}
        error={refused?.of('member')}
      />
      {add.error && <Failure error={add.error} />}
      <Equivalent
        method="POST"
        path={`/api/v1/groups/${group.id}/members`}
        body={body}
        cli={command('safeconduct groups add', group.id, body.member || '<id>')}
      />
      <footer>
        <Button
          look="primary"
          type="submit"
          busy={add.isPending}
          reason={chosen ? undefined : text.access.choosePrincipal}
        >
          {text.group.add}
        </Button>
      </footer>
    </form>
  )
}

interface TakingOutProps {
  of: GroupMember
  from: Group
  onClose: () => void
}

function TakingOut({ of: member, from: group, onClose }: TakingOutProps) {
  const text = useText()
  const name = useName(member.member) ?? member.member
  const change = useChange(
    () =>
      answered(
        api.DELETE('/api/v1/groups/{group}/members/{member}', {
          params: { path: { group: group.id, member: member.member } },
        }),
      ),
    onClose,
  )
  return (
    <Confirm
      title={text.group.takeOutTitle(name)}
      detail={text.group.takeOutDetail}
      act={text.group.takeOut}
      change={change}
      same={{
        method: 'DELETE',
        path: `/api/v1/groups/${group.id}/members/${member.member}`,
        cli: command('safeconduct groups remove', group.id, member.member),
      }}
      onClose={onClose}
    />
  )
}
