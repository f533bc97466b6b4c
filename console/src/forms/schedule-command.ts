import { command, flag, flags, given, quoted } from '../components/equivalent'
import type { Told } from './schedule-draft'

/** The command that says the same; undefined where none does. */
export function cliOf(members: Told, of: { id: string; revision: number } | undefined): string | undefined {
  const value = (name: string) => (members[name] === undefined ? undefined : JSON.parse(members[name]))
  const permissions: string[] | undefined = value('permissions')
  // No flag takes a start or an end away, or the last permission.
  if ((of && permissions?.length === 0) || value('starts_at') === null || value('ends_at') === null)
    return undefined
  const timing: { cron?: string; every_seconds?: number; at?: string } = value('timing') ?? {}
  const more = [
    flag('cron', timing.cron),
    flag('every', timing.every_seconds),
    flag('at', timing.at),
    flag('zone', value('time_zone')),
    flag('starts-at', value('starts_at')),
    flag('ends-at', value('ends_at')),
    given('description', value('description')),
    flag('input', members.input),
    flags('permission', permissions),
    flag('jitter', value('jitter_seconds')),
    flag('overlap', value('overlap')),
    flag('missed', value('missed')),
    flag('backfill', value('backfill')),
  ]
  if (of)
    return command(
      'safeconduct schedules update',
      of.id,
      flag('name', value('name')),
      flag('function', value('function')),
      ...more,
      flag('if-revision', of.revision),
    )
  return command(
    'safeconduct schedules create',
    quoted(value('name') || '<name>'),
    quoted(value('function') || '<function>'),
    ...more,
    'active' in members && '--paused',
  )
}
