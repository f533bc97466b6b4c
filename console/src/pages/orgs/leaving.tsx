import { answered, api } from '../../api/client'
import type { Org } from '../../api/types'
import { command, Equivalent, quoted } from '../../components/equivalent'
import { useChange } from '../../hooks/change'
import { useReason } from '../../hooks/rights'
import { useLanguage, useText } from '../../text'
import { Button } from '../../ui/button'
import { Icon } from '../../ui/icon'
import { Failure } from '../../ui/page'
import { absolute } from '../../ui/time'

/** What becomes of an organization that is on its way out, and the way back while there is one. */
export function Leaving({ of: org, current }: { of: Org; current: boolean }) {
  const text = useText()
  const [language] = useLanguage()
  const lacks = useReason('orgs:delete', { of: { selector: org.id, owner: '' } })
  const notOperator = useReason('system:orgs')
  const restore = useChange((_: undefined, key) =>
    answered(
      api.POST('/api/v1/orgs/{org}/restore', {
        params: { path: { org: org.id }, header: { 'Idempotency-Key': key } },
      }),
    ),
  )
  const leaving = org.status === 'leaving'
  return (
    <section className="notice" aria-label={leaving ? text.orgs.leaving : text.orgs.erasing}>
      <Icon name="alert" />
      <div>
        <strong>{leaving ? text.orgs.leaving : text.orgs.erasing}</strong>
        <p>
          {leaving ? text.orgs.leavingDetail : text.orgs.erasingDetail}{' '}
          {org.erase_after && <time dateTime={org.erase_after}>{absolute(org.erase_after, language)}.</time>}
        </p>
        {restore.error && <Failure error={restore.error} />}
        {leaving && (
          <>
            <Button
              busy={restore.isPending}
              reason={lacks ?? (current ? undefined : notOperator)}
              onClick={() => restore.mutate(undefined)}
            >
              {text.orgs.restore}
            </Button>
            <Equivalent
              method="POST"
              path={`/api/v1/orgs/${org.id}/restore`}
              cli={command('safeconduct orgs restore', quoted(org.slug))}
            />
          </>
        )}
      </div>
    </section>
  )
}
