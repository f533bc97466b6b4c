import { useQuery } from '@tanstack/react-query'
import { queries } from '../api/queries'
import type { FactDetail } from '../api/types'
import type { Step } from '../proof/fact'
import { useText } from '../text'
import { CodeBlock, Copyable } from '../ui/copy'
import { Empty, Failure, Properties, Skeleton } from '../ui/page'
import { Status } from '../ui/status'

/** The proof of one fact: fetched, then checked here. */
export function FactProof({ id }: { id: string }) {
  const query = useQuery(queries.fact(id))
  if (!query.data)
    return query.isError ? <Failure error={query.error} onRetry={() => void query.refetch()} /> : <Skeleton />
  return <Proof of={query.data} asked={id} />
}

/** Whether this very answer proves itself. Checked anew for each answer; the verdict is never fetched. */
export function useVerdict(fact: FactDetail | undefined, asked: string) {
  return useQuery({
    queryKey: ['verdict', asked, fact],
    queryFn: async (): Promise<Step[]> => {
      try {
        const { verifyFact } = await import('../proof/shown')
        return fact ? await verifyFact(fact, asked) : []
      } catch (error) {
        // What can't be checked is not verified.
        return [{ name: 'shown', holds: false, found: String(error) }]
      }
    },
    enabled: Boolean(fact?.proof),
    staleTime: Number.POSITIVE_INFINITY,
  })
}

/** Nothing checked is nothing verified. */
export function verdictOf(steps: Step[] | undefined): 'checking' | 'verified' | 'not_verified' {
  if (!steps) return 'checking'
  if (steps.length === 0) return 'not_verified'
  return steps.every((step) => step.holds) ? 'verified' : 'not_verified'
}

/** Each step with what was computed, the verdict above them, and the bytes to compute it again elsewhere. */
export function Proof({ of: fact, asked }: { of: FactDetail; asked: string }) {
  const text = useText()
  const verdict = useVerdict(fact, asked)
  if (!fact.proof)
    return (
      <Empty icon="clock" title={text.proof.none}>
        {text.proof.noneDetail}
      </Empty>
    )
  const word = verdictOf(verdict.data)
  return (
    <div className={`proof ${word}`}>
      <p className="verdict" role="status">
        <Status of={word} label={text.proof.verdict[word]} />
        <span className="muted">{text.proof.detail[word]}</span>
      </p>
      <ol className="proof-steps">
        {(verdict.data ?? []).map((step) => (
          <li key={step.name}>
            <Status
              of={step.holds ? 'verified' : 'not_verified'}
              label={step.holds ? text.proof.holds : text.proof.fails}
            />
            <div>
              <strong>{text.proof.steps[step.name]}</strong>
              <p className="mono muted">{step.found}</p>
            </div>
          </li>
        ))}
      </ol>
      <details>
        <summary>{text.proof.bytes}</summary>
        <Properties
          of={[
            [
              text.proof.leaf,
              <span key="l" className="mono">{`${fact.proof.seq} / ${fact.proof.tree_size}`}</span>,
            ],
            [text.proof.key, <Copyable key="k" value={fact.proof.key} />],
          ]}
        />
        {fact.proof.clear && <CodeBlock code={fact.proof.clear} label={text.proof.entry} wrap />}
        {fact.proof.private && <CodeBlock code={fact.proof.private} label={text.proof.private} wrap />}
        <CodeBlock code={fact.proof.path.join('\n')} label={text.proof.path} />
        <CodeBlock code={fact.proof.checkpoint} label={text.proof.checkpoint} />
      </details>
      <details>
        <summary>{text.proof.elsewhere}</summary>
        <p className="muted">{text.proof.elsewhereDetail}</p>
        <CodeBlock
          code={`safeconduct audit export --format bundle --out ledger.bundle\nsafeconduct audit verify ledger.bundle --key '${fact.proof.key}'`}
          label={text.byCli}
          wrap
        />
      </details>
    </div>
  )
}
