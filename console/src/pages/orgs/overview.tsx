import type { Org } from '../../api/types'
import { ageNames } from '../../forms/org-draft'
import { useText } from '../../text'
import { Copyable } from '../../ui/copy'
import { Properties, Section } from '../../ui/page'
import { Time } from '../../ui/time'

/** What an organization is, and what it decided about itself. */
export function Overview({ of: org }: { of: Org }) {
  const text = useText()
  const { settings } = org
  const none = <span className="muted">{text.noneGiven}</span>
  const lifetime = settings.session_lifetime_seconds
  const addresses = settings.notification_addresses ?? []
  return (
    <div className="columns">
      <Section title={text.orgs.own}>
        <Properties
          of={[
            [text.orgs.name, org.name],
            [text.orgs.slug, <Copyable key="s" value={org.slug} />],
            [text.orgs.billing, org.billing_email ?? none],
            [text.created, <Time key="c" at={org.created_at} />],
          ]}
        />
      </Section>
      <div>
        <Section title={text.orgs.settings}>
          <Properties
            of={[
              [text.orgs.timeZone, settings.time_zone ?? 'UTC'],
              [text.orgs.sessions, lifetime ? text.orgs.hours(lifetime / 3_600) : text.orgs.byInstance],
              [text.orgs.approval, settings.new_agents_need_approval ? text.orgs.yes : text.orgs.no],
              [text.orgs.notify, addresses.length > 0 ? addresses.join(', ') : none],
            ]}
          />
        </Section>
        <Section title={text.orgs.ages}>
          <Properties
            of={ageNames.map(({ environment, kinds }) => {
              const set = kinds
                .map(({ kind }) => [kind, settings.maximum_age_seconds?.[environment]?.[kind]] as const)
                .filter(([, seconds]) => seconds)
              const words = set.map(
                ([kind, seconds]) => `${text.orgs.age[kind]}: ${text.days((seconds ?? 0) / 86_400)}`,
              )
              const limits = words.join(' · ') || text.orgs.noLimit
              return [text.envs[environment], limits]
            })}
          />
        </Section>
      </div>
    </div>
  )
}
