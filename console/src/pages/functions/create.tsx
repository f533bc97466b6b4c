import { Link, useNavigate } from '@tanstack/react-router'
import { answered, api } from '../../api/client'
import type { Body } from '../../api/types'
import { FunctionForm } from '../../forms/function'
import { useChange } from '../../hooks/change'
import { useReason } from '../../hooks/rights'
import { paths } from '../../paths'
import { useText } from '../../text'
import { PageHeader } from '../../ui/page'

export default function CreateFunction() {
  const text = useText()
  const navigate = useNavigate()
  const create = useChange(
    (body: Body<'functions.create'>, key) =>
      answered(api.POST('/api/v1/functions', { body, params: { header: { 'Idempotency-Key': key } } })),
    (fn) => void navigate({ to: paths.fn(fn.id), search: { tab: 'test' } }),
  )
  const mayCreate = useReason('functions:create')
  return (
    <>
      <PageHeader
        title={text.functions.create}
        above={<Link to={paths.functions}>{text.place.functions}</Link>}
      />
      <FunctionForm
        reason={mayCreate}
        busy={create.isPending}
        error={create.error}
        onSubmit={(body) => create.mutate(body as Body<'functions.create'>)}
      />
    </>
  )
}
