/** An organization as its form holds it: text in every field, so that what is half typed is kept. */

import type { Body, Org } from '../api/types'
import { command, flag, flags, given, quoted } from '../components/equivalent'
import { mergePatch } from './merge-patch'

const environments = ['development', 'staging', 'production'] as const
const kinds = ['credentials', 'keys', 'webhook_secrets'] as const

/** `production.credentials` and the like. */
export type AgeName = `${(typeof environments)[number]}.${(typeof kinds)[number]}`

export const ageNames = environments.map((environment) => ({
  environment,
  kinds: kinds.map((kind) => ({ kind, name: `${environment}.${kind}` as AgeName })),
}))

export interface Draft {
  name: string
  billing_email: string
  time_zone: string
  hours: string
  new_agents_need_approval: boolean
  notify: string
  /** In days. */
  ages: Record<AgeName, string>
}

const HOUR = 3_600
const DAY = 86_400

export function draftOf({ name, billing_email, settings }: Org): Draft {
  const ages = ageNames.flatMap(({ environment, kinds }) =>
    kinds.map(({ kind, name }) => [name, inUnits(settings.maximum_age_seconds?.[environment]?.[kind], DAY)]),
  )
  return {
    name,
    billing_email: billing_email ?? '',
    time_zone: settings.time_zone ?? '',
    hours: inUnits(settings.session_lifetime_seconds, HOUR),
    new_agents_need_approval: settings.new_agents_need_approval ?? false,
    notify: (settings.notification_addresses ?? []).join('\n'),
    ages: Object.fromEntries(ages) as Record<AgeName, string>,
  }
}

function inUnits(seconds: number | null | undefined, unit: number): string {
  return seconds ? String(seconds / unit) : ''
}

function inSeconds(text: string, unit: number): number | null {
  return text.trim() === '' ? null : Math.round(Number(text.replace(',', '.')) * unit)
}

/** What differs, as the merge patch that says so; nothing is set to what it is already. */
export function changed(draft: Draft, base: Draft): Body<'orgs.update'> {
  return (mergePatch(whole(base), whole(draft)) ?? {}) as Body<'orgs.update'>
}

function whole(draft: Draft) {
  const ages = ageNames.map(({ environment, kinds }) => [
    environment,
    Object.fromEntries(kinds.map(({ kind, name }) => [kind, inSeconds(draft.ages[name], DAY)])),
  ])
  return {
    name: draft.name.trim(),
    billing_email: draft.billing_email.trim() || null,
    settings: {
      time_zone: draft.time_zone.trim() || null,
      session_lifetime_seconds: inSeconds(draft.hours, HOUR),
      new_agents_need_approval: draft.new_agents_need_approval,
      notification_addresses: draft.notify.split(/\s+/).filter(Boolean),
      maximum_age_seconds: Object.fromEntries(ages),
    },
  }
}

export function orgCommand({ slug, revision }: Org, body: Body<'orgs.update'>): string {
  const settings = body.settings ?? {}
  const ages = Object.entries(settings.maximum_age_seconds ?? {}).flatMap(([environment, kinds]) =>
    Object.entries(kinds ?? {}).map(
      ([kind, seconds]) => `--maximum-age ${environment}.${kind}=${seconds ?? 'none'}`,
    ),
  )
  return command(
    'safeconduct orgs update',
    quoted(slug),
    flag('name', body.name),
    'billing_email' in body && given('billing-email', body.billing_email ?? ''),
    'time_zone' in settings && given('time-zone', settings.time_zone ?? ''),
    'session_lifetime_seconds' in settings &&
      given('session-lifetime', settings.session_lifetime_seconds ?? 'none'),
    'new_agents_need_approval' in settings &&
      given('approve-new-agents', String(settings.new_agents_need_approval)),
    flags('notify', settings.notification_addresses as string[] | undefined),
    ...ages,
    flag('if-revision', revision),
  )
}
