import { Link } from '@tanstack/react-router'
import { paths } from '../paths'
import { useText } from '../text'
import { Empty, PageHeader } from '../ui/page'

export function NotFound() {
  const text = useText()
  return (
    <>
      <PageHeader title={text.notFound} />
      <Empty icon="search" title={text.notFoundTitle}>
        <Link to={paths.home}>{text.toHome}</Link>
      </Empty>
    </>
  )
}
