import { useText } from '../text'
import { Icon, type IconName } from './icon'

export type Tone = 'good' | 'warn' | 'bad' | 'quiet' | 'active'

const marks: Record<string, [Tone, IconName]> = {
  active: ['good', 'check'],
  requested: ['warn', 'clock'],
  approved: ['good', 'check'],
  pending: ['warn', 'clock'],
  suspended: ['warn', 'pause'],
  decommissioned: ['quiet', 'stop'],
  expiring: ['warn', 'clock'],
  rotating: ['warn', 'clock'],
  expired: ['quiet', 'clock'],
  revoked: ['quiet', 'cross'],
  queued: ['quiet', 'clock'],
  leased: ['active', 'clock'],
  running: ['active', 'run'],
  awaiting_input: ['warn', 'clock'],
  busy: ['active', 'run'],
  idle: ['quiet', 'check'],
  succeeded: ['good', 'check'],
  failed: ['bad', 'cross'],
  cancelled: ['quiet', 'stop'],
  timed_out: ['bad', 'clock'],
  dead: ['bad', 'cross'],
  working: ['good', 'run'],
  draining: ['warn', 'clock'],
  silent: ['bad', 'alert'],
  success: ['good', 'check'],
  failure: ['bad', 'cross'],
  denied: ['warn', 'minus'],
  info: ['quiet', 'info'],
  notice: ['active', 'info'],
  warning: ['warn', 'alert'],
  critical: ['bad', 'alert'],
  ok: ['good', 'check'],
  up: ['good', 'check'],
  degraded: ['warn', 'alert'],
  down: ['bad', 'cross'],
  verified: ['good', 'seal'],
  not_verified: ['bad', 'alert'],
  checking: ['quiet', 'clock'],
  applied: ['good', 'check'],
  live: ['good', 'live'],
  connecting: ['warn', 'clock'],
  lost: ['bad', 'alert'],
  open: ['active', 'clock'],
  accepted: ['good', 'check'],
  created: ['good', 'plus'],
  joined: ['good', 'check'],
  linked: ['active', 'check'],
  unchanged: ['quiet', 'minus'],
  refused: ['bad', 'cross'],
  duplicate: ['quiet', 'copy'],
  ignored: ['quiet', 'minus'],
  allowed: ['good', 'check'],
  leaving: ['warn', 'clock'],
  erasing: ['bad', 'cross'],
  proved: ['good', 'check'],
  unproved: ['warn', 'clock'],
  enabled: ['good', 'check'],
  disabled: ['quiet', 'minus'],
  in_force: ['good', 'seal'],
  draft: ['quiet', 'minus'],
  approval_required: ['warn', 'clock'],
  works: ['good', 'check'],
  broken: ['bad', 'cross'],
  off: ['quiet', 'minus'],
  paused: ['quiet', 'pause'],
  ended: ['quiet', 'stop'],
  ran: ['good', 'check'],
  skipped: ['quiet', 'minus'],
  missed: ['warn', 'clock'],
}

/** A state: icon, word and colour, so that no one of them is needed alone. */
export function Status({ of, label }: { of: string; label?: string }) {
  const text = useText()
  const [tone, icon] = marks[of] ?? ['quiet', 'unknown']
  return (
    <span className={`status ${tone}`}>
      <Icon name={icon} />
      {label ?? (text.status as Record<string, string>)[of] ?? of.replaceAll('_', ' ')}
    </span>
  )
}
