import { Link, useNavigate } from '@tanstack/react-router'
import { NewSchedule } from '../../forms/schedule'
import { paths } from '../../paths'
import { useText } from '../../text'
import { PageHeader } from '../../ui/page'

export default function CreateSchedule() {
  const text = useText()
  const navigate = useNavigate()
  return (
    <>
      <PageHeader
        title={text.schedules.create}
        above={<Link to={paths.schedules}>{text.place.schedules}</Link>}
      />
      <NewSchedule
        onDone={(id) => void navigate({ to: paths.schedule(id) })}
        onCancel={() => void navigate({ to: paths.schedules })}
      />
    </>
  )
}
