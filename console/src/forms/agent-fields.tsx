import { useInfiniteQuery } from '@tanstack/react-query'
import type { Problem } from '../api/problem'
import { queries } from '../api/queries'
import { RoleChoices } from '../components/role-choices'
import { useText } from '../text'
import { Field } from '../ui/form'
import { legible } from '../ui/name'
import { agentTypes, type Draft, metadataOf } from './agent-draft'

interface AgentFieldsProps {
  draft: Draft
  onChange: (draft: Draft) => void
  refused: Problem | undefined
  /** For an agent that exists all of it is shown at once. */
  open?: boolean
}

/** Everything that can be said of an agent but its name. */
export function AgentFields({ draft, onChange, refused, open = false }: AgentFieldsProps) {
  const text = useText()
  const bind = (name: keyof Draft) => ({
    name,
    value: draft[name],
    onChange: (event: { target: { value: string } }) => onChange({ ...draft, [name]: event.target.value }),
  })
  const lines = (name: keyof Draft, rows: number) => ({
    ...bind(name),
    rows,
    className: 'mono',
    spellCheck: false,
  })
  const broken = metadataOf(draft) === undefined
  return (
    <>
      <Field
        label={text.agents.displayName}
        optional={open ? '' : text.optional}
        error={refused?.of('display_name')}
      >
        {(ids) => <input {...ids} {...bind('display_name')} required={open} maxLength={200} />}
      </Field>
      <Field label={text.description} optional={text.optional} error={refused?.of('description')}>
        {(ids) => <textarea {...ids} {...bind('description')} rows={2} maxLength={4000} />}
      </Field>
      <div className="pair">
        <Field label={text.agents.type} error={refused?.of('type')}>
          {(ids) => (
            <select {...ids} {...bind('type')}>
              {agentTypes.map((type) => (
                <option key={type}>{type}</option>
              ))}
            </select>
          )}
        </Field>
        <Field label={text.agents.env} error={refused?.of('deployment_env')}>
          {(ids) => (
            <select {...ids} {...bind('deployment_env')}>
              <Options of={text.envs} />
            </select>
          )}
        </Field>
      </div>
      <Field
        label={text.agents.permissions}
        optional={text.optional}
        hint={text.agents.permissionsHint}
        error={refused?.of('permissions')}
      >
        {(ids) => <textarea {...ids} {...lines('permissions', 3)} placeholder="functions:execute" />}
      </Field>
      <details className="further" open={open}>
        <summary>{text.agents.further}</summary>
        <RoleChoices
          legend={text.agents.roles}
          chosen={draft.roles.split(/\s+/).filter(Boolean)}
          onChange={(roles) => onChange({ ...draft, roles: roles.join('\n') })}
          error={refused?.of('roles')}
        />
        <div className="pair">
          <Owner {...bind('owner')} error={refused?.of('owner')} />
          <Field label={text.agents.visibility} error={refused?.of('visibility')}>
            {(ids) => (
              <select {...ids} {...bind('visibility')}>
                <Options of={text.agents.visibilities} />
              </select>
            )}
          </Field>
        </div>
        <div className="pair">
          <Field label={text.version} hint={text.agents.versionHint} error={refused?.of('version')}>
            {(ids) => (
              <input {...ids} {...bind('version')} className="mono" spellCheck={false} placeholder="0.1.0" />
            )}
          </Field>
          <Field
            label={text.tags}
            optional={text.optional}
            hint={text.agents.wordsHint}
            error={refused?.of('tags')}
          >
            {(ids) => <input {...ids} {...bind('tags')} className="mono" spellCheck={false} />}
          </Field>
        </div>
        <Field
          label={text.agents.capabilities}
          optional={text.optional}
          hint={text.agents.capabilitiesHint}
          error={refused?.of('capabilities')}
        >
          {(ids) => <textarea {...ids} {...lines('capabilities', 2)} placeholder="incidents:triage" />}
        </Field>
        <Field
          label={text.metadata}
          optional={text.optional}
          hint={text.agents.metadataHint}
          error={refused?.of('metadata') ?? (broken ? text.notJsonObject : undefined)}
        >
          {(ids) => <textarea {...ids} {...lines('metadata', 3)} placeholder={'{"team": "sre"}'} />}
        </Field>
      </details>
    </>
  )
}

function Options({ of }: { of: Record<string, string> }) {
  return Object.entries(of).map(([id, name]) => (
    <option key={id} value={id}>
      {name}
    </option>
  ))
}

interface OwnerProps {
  name: string
  value: string
  onChange: (event: { target: { value: string } }) => void
  error: string | undefined
}

/** The person who answers for it. */
function Owner({ error, ...bound }: OwnerProps) {
  const text = useText()
  const people = useInfiniteQuery(queries.users()).data?.pages.flatMap((page) => page.items) ?? []
  const unlisted = bound.value !== '' && !people.some((person) => person.id === bound.value)
  return (
    <Field label={text.agents.owner} error={error}>
      {(ids) => (
        <select {...ids} {...bound}>
          {bound.value === '' && <option value="">{text.agents.ownerYou}</option>}
          {unlisted && <option>{bound.value}</option>}
          {people.map((person) => (
            <option key={person.id} value={person.id}>
              {legible(person.display_name)}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}
