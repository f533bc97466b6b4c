import type { Problem } from '../api/problem'
import { PermissionEditor } from '../components/permission-editor'
import { useText } from '../text'
import { Field } from '../ui/form'
import {
  type Draft,
  hasSecret,
  INPUTS,
  isTimed,
  METHODS,
  REPEATS,
  RESPONSES,
  unfit,
  WAYS,
  type Way,
} from './hook-draft'

interface HookFieldsProps {
  draft: Draft
  onChange: (draft: Draft) => void
  refused: Problem | undefined
  /** Whether the hook is there already. */
  there?: boolean
}

/** What is said of a hook: what is sent where, who is believed, what is run of it and how it is answered. */
export function HookFields({ draft, onChange, refused, there = false }: HookFieldsProps) {
  const text = useText()
  const lacks = unfit(draft)
  const bind = (field: keyof Draft) => ({
    value: draft[field] as string,
    onChange: (event: { target: { value: string } }) => onChange({ ...draft, [field]: event.target.value }),
  })
  const number = (field: keyof Draft, label: string, error: string | undefined, min = 1) => (
    <Field label={label} optional={text.optional} error={error}>
      {(ids) => <input {...ids} {...bind(field)} type="number" min={min} className="mono" />}
    </Field>
  )
  const tick = (method: (typeof METHODS)[number], on: boolean) =>
    onChange({
      ...draft,
      methods: on ? [...draft.methods, method] : draft.methods.filter((one) => one !== method),
    })
  const choose = (way: Way) => onChange({ ...draft, way, ...(!there && { repeat: REPEATS[way] ?? '' }) })
  return (
    <>
      <Field
        label={text.hooks.path}
        hint={draft.way === 'none' ? text.hooks.openHint : text.hooks.pathHint}
        error={refused?.of('path')}
      >
        {(ids) => (
          <input {...ids} {...bind('path')} className="mono" required maxLength={255} spellCheck={false} />
        )}
      </Field>
      <Field label={text.hooks.target} hint={text.hooks.targetHint} error={refused?.in('target', 'function')}>
        {(ids) => <input {...ids} {...bind('target')} className="mono" required spellCheck={false} />}
      </Field>
      <Field label={text.description} optional={text.optional} error={refused?.of('description')}>
        {(ids) => <textarea {...ids} {...bind('description')} rows={2} maxLength={4000} />}
      </Field>
      <fieldset className="choices">
        <legend>{text.hooks.methods}</legend>
        {METHODS.map((method) => (
          <label key={method}>
            <input
              type="checkbox"
              checked={draft.methods.includes(method)}
              onChange={(event) => tick(method, event.target.checked)}
            />
            <span className="mono">{method}</span>
          </label>
        ))}
      </fieldset>
      <Field
        label={text.hooks.believes}
        error={refused?.in('authentication', 'kind') ?? refused?.in('authentication', 'preset')}
      >
        {(ids) => (
          <select {...ids} value={draft.way} onChange={(event) => choose(event.target.value as Way)}>
            {WAYS.map((way) => (
              <option key={way} value={way}>
                {text.hooks.ways[way]}
              </option>
            ))}
          </select>
        )}
      </Field>
      {draft.way === 'generic' && (
        <>
          <div className="pair">
            <Field label={text.hooks.header} error={refused?.in('authentication', 'header')}>
              {(ids) => <input {...ids} {...bind('header')} className="mono" required spellCheck={false} />}
            </Field>
            <Field label={text.hooks.prefix} optional={text.optional}>
              {(ids) => <input {...ids} {...bind('prefix')} className="mono" spellCheck={false} />}
            </Field>
          </div>
          <div className="pair">
            <Field label={text.hooks.algorithm}>
              {(ids) => (
                <select {...ids} {...bind('algorithm')}>
                  <option>sha256</option>
                  <option>sha512</option>
                </select>
              )}
            </Field>
            <Field label={text.hooks.encoding}>
              {(ids) => (
                <select {...ids} {...bind('encoding')}>
                  <option>hex</option>
                  <option>base64</option>
                </select>
              )}
            </Field>
          </div>
          <Field
            label={text.hooks.timestampHeader}
            optional={text.optional}
            error={refused?.in('authentication', 'timestamp_header')}
          >
            {(ids) => <input {...ids} {...bind('timestamp')} className="mono" spellCheck={false} />}
          </Field>
        </>
      )}
      {isTimed(draft) &&
        number('tolerance', text.hooks.tolerance, refused?.in('authentication', 'tolerance_seconds'), 10)}
      {draft.way === 'basic' && (
        <Field label={text.hooks.username} error={refused?.in('authentication', 'username')}>
          {(ids) => <input {...ids} {...bind('username')} className="mono" required spellCheck={false} />}
        </Field>
      )}
      {hasSecret(draft.way) && (
        <Field
          label={text.hooks.secret}
          optional={text.optional}
          hint={there ? text.hooks.secretKept : text.hooks.secretHint}
          error={refused?.of('secret')}
        >
          {(ids) => <input {...ids} {...bind('secret')} type="password" autoComplete="off" />}
        </Field>
      )}
      <Field
        label={text.hooks.addresses}
        optional={text.optional}
        hint={text.hooks.addressesHint}
        error={refused?.of('allowed_ips')}
      >
        {(ids) => <input {...ids} {...bind('addresses')} className="mono" spellCheck={false} />}
      </Field>
      <div className="pair">
        <Field
          label={text.hooks.deduplicate}
          optional={text.optional}
          hint={text.hooks.deduplicateHint}
          error={refused?.of('deduplication')}
        >
          {(ids) => <input {...ids} {...bind('repeat')} className="mono" spellCheck={false} />}
        </Field>
        {number('remembered', text.hooks.remembered, refused?.in('deduplication', 'ttl_seconds'), 60)}
      </div>
      <div className="pair">
        <Field label={text.hooks.input}>
          {(ids) => (
            <select {...ids} {...bind('input')}>
              {INPUTS.map((mode) => (
                <option key={mode} value={mode}>
                  {text.hooks.inputs[mode]}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={text.hooks.response}>
          {(ids) => (
            <select {...ids} {...bind('response')}>
              {RESPONSES.map((mode) => (
                <option key={mode} value={mode}>
                  {text.hooks.responses[mode]}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <Field
        label={text.hooks.defaults}
        optional={text.optional}
        hint={text.hooks.defaultsHint}
        error={lacks === 'defaults' ? text.notJsonObject : refused?.of('input')}
      >
        {(ids) => <textarea {...ids} {...bind('defaults')} className="mono" rows={2} spellCheck={false} />}
      </Field>
      <Field
        label={text.hooks.routes}
        optional={text.optional}
        hint={text.hooks.routesHint}
        error={lacks === 'routes' ? text.hooks.noList : refused?.of('routes')}
      >
        {(ids) => <textarea {...ids} {...bind('routes')} className="mono" rows={4} spellCheck={false} />}
      </Field>
      <div className="pair">
        {number('rate', text.hooks.rate, refused?.of('rate_per_minute'))}
        {number('places', text.hooks.places, refused?.of('concurrency'))}
      </div>
      {number('bytes', text.hooks.largest, refused?.of('max_body_bytes'))}
      <p className="muted hint">{text.hooks.permissionsHint}</p>
      <PermissionEditor
        value={draft.permissions}
        onChange={(permissions) => onChange({ ...draft, permissions })}
        reach=""
        error={refused?.of('permissions')}
      />
    </>
  )
}
