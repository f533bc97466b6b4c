import type { Problem } from '../../api/problem'
import { useText } from '../../text'
import { Field } from '../../ui/form'

/** Roles that newcomers may get: those that are the same everywhere. */
const roles = ['member', 'viewer', 'auditor', 'curator', 'admin']

/** Whom a provider lets in, as its forms hold it. */
export interface AdmissionDraft {
  creates: boolean
  given: string[]
  domains: string
  trusts: boolean
}

/** The domains that were typed. */
export function domainsOf({ domains }: AdmissionDraft): string[] {
  return domains.split(/[\s,]+/).filter(Boolean)
}

interface AdmissionProps {
  of: AdmissionDraft
  /** Only the operator's providers are believed without proof. */
  instance: boolean
  refused: Problem | undefined
  onChange: (draft: AdmissionDraft) => void
  children?: React.ReactNode
}

/** Who comes in by a provider: newcomers with their roles, and addresses of which domains. */
export function Admission({ of: draft, instance, refused, onChange, children }: AdmissionProps) {
  const text = useText()
  const put = (changes: Partial<AdmissionDraft>) => onChange({ ...draft, ...changes })
  const unlisted = draft.given.filter((role) => !roles.includes(role))
  return (
    <>
      <fieldset className="checks">
        <legend>{text.providers.whoComes}</legend>
        <Check label={text.providers.creates} on={draft.creates} onChange={(creates) => put({ creates })} />
        {draft.creates &&
          [...roles, ...unlisted].map((role) => (
            <Check
              key={role}
              inner
              label={role}
              on={draft.given.includes(role)}
              onChange={(on) =>
                put({ given: on ? [...draft.given, role] : draft.given.filter((one) => one !== role) })
              }
            />
          ))}
        {instance && (
          <Check label={text.providers.trusts} on={draft.trusts} onChange={(trusts) => put({ trusts })} />
        )}
        {children}
        {refused?.of('default_roles') && <p className="wrong">{refused.of('default_roles')}</p>}
      </fieldset>
      <Field
        label={text.providers.domains}
        optional={text.optional}
        hint={text.providers.domainsHint}
        error={refused?.of('allowed_domains')}
      >
        {(ids) => (
          <input
            {...ids}
            className="mono"
            value={draft.domains}
            spellCheck={false}
            onChange={(event) => put({ domains: event.target.value })}
          />
        )}
      </Field>
    </>
  )
}

interface CheckProps {
  label: string
  on: boolean
  inner?: boolean
  onChange: (on: boolean) => void
}

export function Check({ label, on, inner, onChange }: CheckProps) {
  return (
    <label className={inner ? 'inner' : undefined}>
      <input type="checkbox" checked={on} onChange={(event) => onChange(event.target.checked)} />
      {label}
    </label>
  )
}
