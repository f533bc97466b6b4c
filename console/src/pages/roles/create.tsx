import { Link, useNavigate } from '@tanstack/react-router'
import { RoleForm } from '../../forms/role'
import { paths } from '../../paths'
import { useText } from '../../text'
import { PageHeader } from '../../ui/page'

export default function NewRole() {
  const text = useText()
  const navigate = useNavigate()
  return (
    <>
      <PageHeader
        title={text.role.create}
        above={<Link to={paths.roles}>{text.place.roles}</Link>}
        detail={text.role.detail}
      />
      <RoleForm
        onDone={(role) => void navigate({ to: paths.role(role.name) })}
        onCancel={() => void navigate({ to: paths.roles })}
      />
    </>
  )
}
