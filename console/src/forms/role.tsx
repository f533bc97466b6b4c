import { type FormEvent, useState } from 'react'
import { answered, api } from '../api/client'
import { Problem } from '../api/problem'
import type { Role } from '../api/types'
import { command, Equivalent, flag, flags, given, quoted } from '../components/equivalent'
import { OpenedBy } from '../components/opened'
import { PermissionEditor } from '../components/permission-editor'
import { useChange } from '../hooks/change'
import { useReason } from '../hooks/rights'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Field } from '../ui/form'
import { Failure } from '../ui/page'
import { mergePatch } from './merge-patch'

interface RoleFormProps {
  /** The one to change; its name is fixed. */
  role?: Role
  onDone: (role: Role) => void
  onCancel: () => void
}

/** Makes a role or changes one: what it allows on the left, what that opens on the right. */
export function RoleForm({ role, onDone, onCancel }: RoleFormProps) {
  const text = useText()
  const [name, setName] = useState('')
  const [description, setDescription] = useState(role?.description ?? '')
  const [permissions, setPermissions] = useState(role?.permissions ?? [])
  const whole = { description: description.trim(), permissions }
  const body = role
    ? (mergePatch({ description: role.description, permissions: role.permissions }, whole) ?? {})
    : { name: name.trim(), ...whole }
  const save = useChange((_: undefined, key) => {
    if (role === undefined) {
      return answered(
        api.POST('/api/v1/roles', {
          body: { name: name.trim(), ...whole },
          params: { header: { 'Idempotency-Key': key } },
        }),
      )
    }
    return answered(
      api.PATCH('/api/v1/roles/{role}', {
        body,
        params: { path: { role: role.name } },
        headers: { 'if-match': `"${role.revision}"` },
      }),
    )
  }, onDone)
  const mayCreate = useReason('roles:create')
  const mayUpdate = useReason('roles:update', {
    of: role ? { selector: role.name, owner: '' } : {},
    stepUp: true,
  })
  const refused = save.error instanceof Problem ? save.error : undefined
  const unchanged = role && Object.keys(body).length === 0 ? text.orgs.unchanged : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    save.mutate(undefined)
  }
  return (
    <div className="workbench">
      <form className="form" onSubmit={submit}>
        {!role && (
          <Field label={text.role.name} hint={text.role.nameHint} error={refused?.of('name')}>
            {(ids) => (
              <input
                {...ids}
                className="mono"
                required
                spellCheck={false}
                value={name}
                onChange={(event) => setName(event.target.value)}
              />
            )}
          </Field>
        )}
        <Field label={text.description} optional={text.optional} error={refused?.of('description')}>
          {(ids) => (
            <input
              {...ids}
              maxLength={500}
              value={description}
              onChange={(event) => setDescription(event.target.value)}
            />
          )}
        </Field>
        <p className="muted hint">{text.role.authority}</p>
        <PermissionEditor
          value={permissions}
          onChange={setPermissions}
          reach="all"
          error={refused?.of('permissions')}
        />
        {save.error && <Failure error={save.error} />}
        {role ? (
          <Equivalent
            method="PATCH"
            path={`/api/v1/roles/${role.name}`}
            revision={role.revision ?? 1}
            body={body}
            cli={command(
              'safeconduct roles update',
              quoted(role.name),
              'description' in body && given('description', whole.description),
              'permissions' in body && flags('permission', permissions),
              flag('if-revision', role.revision),
            )}
          />
        ) : (
          <Equivalent
            method="POST"
            path="/api/v1/roles"
            body={body}
            cli={command(
              'safeconduct roles create',
              quoted(name.trim() || '<name>'),
              flag('description', whole.description),
              permissions.length > 0 && flags('permission', permissions),
            )}
          />
        )}
        <footer>
          <Button onClick={onCancel}>{text.cancel}</Button>
          <Button
            look="primary"
            type="submit"
            busy={save.isPending}
            reason={(role ? mayUpdate : mayCreate) ?? unchanged}
          >
            {role ? text.orgs.save : text.role.create}
          </Button>
        </footer>
      </form>
      <OpenedBy permissions={permissions} />
    </div>
  )
}
