import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { answered, api } from '../api/client'
import { queries } from '../api/queries'
import type { Run, WholeRun } from '../api/types'
import { useChange } from '../hooks/change'
import { named, useReason } from '../hooks/rights'
import { paths } from '../paths'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Equivalent } from './equivalent'
import { isOver } from './runs'

type Act = 'cancel' | 'retry' | 'replay' | 'flush'

/** What may be done to a run as it stands; the server has the last word. */
function acts(run: Pick<Run, 'status' | 'flushed_at'>): Act[] {
  if (!isOver(run)) return ['cancel']
  const failed = run.status === 'failed' || run.status === 'timed_out' || run.status === 'dead'
  return [
    ...(failed ? (['retry'] as const) : []),
    'replay',
    ...(run.status === 'dead' && !run.flushed_at ? (['flush'] as const) : []),
  ]
}

function send(act: Act, run: string, key: string): Promise<Run> {
  const params = { path: { run }, header: { 'Idempotency-Key': key } }
  switch (act) {
    case 'cancel':
      return answered(api.POST('/api/v1/runs/{run}/cancel', { params }))
    case 'retry':
      return answered(api.POST('/api/v1/runs/{run}/retry', { params }))
    case 'replay':
      return answered(api.POST('/api/v1/runs/{run}/replay', { params }))
    case 'flush':
      return answered(api.POST('/api/v1/runs/{run}/flush', { params }))
  }
}

interface ActProps {
  act: Act
  of: Run | WholeRun
  reason: string | undefined
  /** Hears of each try with undefined, and of the refusal if it is one. */
  onRefused: (error: unknown) => void
  onDone?: (run: Run) => void
}

function ActButton({ act, of: run, reason, onRefused, onDone }: ActProps) {
  const words = useWords()
  const change = useChange((_: undefined, key) => send(act, run.id, key), onDone)
  const press = () => {
    onRefused(undefined)
    change.mutate(undefined, { onError: onRefused })
  }
  const icon = ({ cancel: 'stop', retry: 'run', replay: 'copy', flush: 'cross' } as const)[act]
  return (
    <Button icon={icon} busy={change.isPending} reason={reason} onClick={press}>
      {words[act]}
    </Button>
  )
}

function useWords(): Record<Act, string> {
  const { queues, runs } = useText()
  return { cancel: runs.cancel, retry: queues.retry, replay: queues.replay, flush: queues.aside }
}

interface Props {
  of: Run | WholeRun
  onRefused: (error: unknown) => void
}

/** Everything that its page offers. A replay leads to the new run, what was put aside to the queues. */
export function RunActs({ of: run, onRefused }: Props) {
  const navigate = useNavigate()
  const fn = useQuery({ ...queries.fn(run.function), enabled: isOver(run), retry: false }).data
  const mayUpdate = useReason('runs:update', { of: { selector: run.id, owner: run.principal.id } })
  const mayReplay = useReason('functions:execute', { ...(fn && { of: named(fn) }) })
  return acts(run).map((act) => (
    <ActButton
      key={act}
      act={act}
      of={run}
      reason={act === 'replay' ? mayReplay : mayUpdate}
      onRefused={onRefused}
      onDone={(done) => {
        if (act === 'replay') void navigate({ to: paths.run(done.id) })
        if (act === 'flush') void navigate({ to: paths.queues })
      }}
    />
  ))
}

/** In a list: what takes a dead letter out of it. One question about rights serves all rows. */
export function LetterActs({ of: run, onRefused }: Props) {
  const mayUpdate = useReason('runs:update', { of: { owner: run.principal.id } })
  return (
    <span className="row-acts">
      {(['retry', 'flush'] as const).map((act) => (
        <ActButton key={act} act={act} of={run} reason={mayUpdate} onRefused={onRefused} />
      ))}
    </span>
  )
}

/** The same from a terminal, for each. */
export function RunEquivalents({ of: run }: { of: Pick<Run, 'id' | 'status'> }) {
  const words = useWords()
  return acts(run).map((act) => (
    <Equivalent
      key={act}
      act={words[act]}
      method="POST"
      path={`/api/v1/runs/${run.id}/${act}`}
      cli={`safeconduct runs ${act} ${run.id}`}
    />
  ))
}
