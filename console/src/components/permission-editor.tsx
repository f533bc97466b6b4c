import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { queries } from '../api/queries'
import type { Catalogue } from '../api/types'
import { type Line, linesOf, permissionsOf } from '../forms/permission-lines'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Field } from '../ui/form'
import { Icon } from '../ui/icon'
import { Failure, Skeleton } from '../ui/page'

type Resource = Catalogue['items'][number]

interface PermissionEditorProps {
  value: string[]
  onChange: (permissions: string[]) => void
  /** The reach that a new line begins with. */
  reach: 'own' | 'all' | ''
  error?: string | undefined
}

/** Permissions chosen from the catalogue: by resource, searchable, each line with its objects and its reach. */
export function PermissionEditor({ value, onChange, reach, error }: PermissionEditorProps) {
  const text = useText()
  const catalogue = useQuery(queries.catalogue())
  const [lines, setLines] = useState(() => linesOf(value))
  const [typed, setTyped] = useState('')
  const [onlyChosen, setOnlyChosen] = useState(value.length > 0)
  const put = (next: Line[]) => {
    setLines(next)
    onChange(permissionsOf(next))
  }
  const words = typed.trim().toLowerCase()
  const matches = (resource: Resource) =>
    (words === '' ||
      `${resource.resource} ${resource.meaning} ${resource.actions.join(' ')}`
        .toLowerCase()
        .includes(words)) &&
    (!onlyChosen || lines.some((line) => line.resource === resource.resource && line.actions.length > 0))
  const known = catalogue.data?.items ?? []
  const others = lines.filter((line) => !known.some(({ resource }) => resource === line.resource))
  const shown = known.filter(matches)
  return (
    <section className="permissions" aria-label={text.access.permissions}>
      <div className="filters">
        <label className="text search">
          <Icon name="search" />
          <span className="visually-hidden">{text.access.searchPermissions}</span>
          <input
            type="search"
            placeholder={text.access.searchPermissions}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        </label>
        <label className="tick">
          <input
            type="checkbox"
            checked={onlyChosen}
            onChange={(event) => setOnlyChosen(event.target.checked)}
          />
          {text.access.onlyChosen}
        </label>
      </div>
      {catalogue.isPending && <Skeleton lines={6} />}
      {catalogue.isError && <Failure error={catalogue.error} onRetry={() => void catalogue.refetch()} />}
      {catalogue.data && (
        <ul className="cards">
          {others.map((line) => (
            <li key={permissionsOf([line]).join()}>
              <Foreign of={line} onRemove={() => put(lines.filter((other) => other !== line))} />
            </li>
          ))}
          {shown.map((resource) => (
            <li key={resource.resource}>
              <ResourceLines of={resource} lines={lines} onChange={put} reach={reach} />
            </li>
          ))}
          {shown.length === 0 && others.length === 0 && (
            <li>
              <p className="muted nothing">
                {onlyChosen && words === '' ? text.access.noneChosen : text.access.noResource}
              </p>
            </li>
          )}
        </ul>
      )}
      {error && <p className="wrong">{error}</p>}
      <details className="further">
        <summary>{text.access.asText}</summary>
        <AsText lines={lines} onChange={put} />
      </details>
    </section>
  )
}

interface ResourceLinesProps {
  of: Resource
  lines: Line[]
  onChange: (lines: Line[]) => void
  reach: string
}

/** The lines of one resource; the first is there to be ticked even while there is none. */
function ResourceLines({ of: resource, lines, onChange, reach }: ResourceLinesProps) {
  const text = useText()
  const mine = lines.filter((line) => line.resource === resource.resource)
  const blank = { resource: resource.resource, selector: '', reach, actions: [] }
  const shown = mine.length > 0 ? mine : [blank]
  const replace = (line: Line, next: Line) =>
    onChange(lines.includes(line) ? lines.map((other) => (other === line ? next : other)) : [...lines, next])
  return (
    <article aria-label={resource.resource}>
      <header>
        <h3 className="mono">{resource.resource}</h3>
        <span className="muted">{resource.meaning}</span>
        <span className="actions">
          <Button look="ghost" icon="plus" compact onClick={() => onChange([...lines, blank])}>
            {text.access.addLine(resource.resource)}
          </Button>
        </span>
      </header>
      {shown.map((line, at) => (
        <div
          className="permission-line"
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no name; they only grow at the end
          key={at}
        >
          <Actions of={resource} line={line} onChange={(actions) => replace(line, { ...line, actions })} />
          {(line.actions.length > 0 || line.selector !== '') && (
            <span className="scope">
              <label>
                <span>{text.access.objects}</span>
                <input
                  className="mono"
                  spellCheck={false}
                  aria-label={text.access.objectsOf(resource.resource)}
                  placeholder={text.access.every}
                  value={line.selector}
                  onChange={(event) => replace(line, { ...line, selector: event.target.value })}
                />
              </label>
              <label>
                <span>{text.access.reach}</span>
                <select
                  aria-label={text.access.reachOf(resource.resource)}
                  value={line.reach}
                  onChange={(event) => replace(line, { ...line, reach: event.target.value })}
                >
                  {(['own', 'group', 'all', ''] as const).map((id) => (
                    <option key={id} value={id}>
                      {id === '' ? text.access.openReach : text.access.reaches[id]}
                    </option>
                  ))}
                </select>
              </label>
            </span>
          )}
        </div>
      ))}
    </article>
  )
}

interface ActionsProps {
  of: Resource
  line: Line
  onChange: (actions: string[]) => void
}

function Actions({ of: resource, line, onChange }: ActionsProps) {
  const text = useText()
  const unlisted = line.actions.filter((action) => !resource.actions.includes(action))
  const toggle = (action: string) =>
    onChange(
      line.actions.includes(action)
        ? line.actions.filter((other) => other !== action)
        : [...line.actions, action],
    )
  return (
    <span className="pills">
      {[...resource.actions, ...unlisted].map((action) => (
        <label key={action} title={(text.access.composites as Record<string, string>)[action]}>
          <input
            type="checkbox"
            aria-label={`${resource.resource}:${action}`}
            checked={line.actions.includes(action)}
            onChange={() => toggle(action)}
          />
          <span className="mono">{action}</span>
        </label>
      ))}
    </span>
  )
}

/** What the catalogue does not name, such as the wildcard for every resource. */
function Foreign({ of: line, onRemove }: { of: Line; onRemove: () => void }) {
  const text = useText()
  return (
    <article aria-label={line.resource}>
      <header>
        <h3 className="mono">{permissionsOf([line]).join(' ')}</h3>
        <span className="actions">
          <Button look="ghost" onClick={onRemove}>
            {text.access.take}
          </Button>
        </span>
      </header>
    </article>
  )
}

/** The same as plain lines, for whoever knows what to write or brings it along. */
function AsText({ lines, onChange }: { lines: Line[]; onChange: (lines: Line[]) => void }) {
  const text = useText()
  const written = permissionsOf(lines).join('\n')
  const [typed, setTyped] = useState<string>()
  return (
    <Field label={text.access.permissions} hint={text.access.asTextHint}>
      {(ids) => (
        <textarea
          {...ids}
          className="mono"
          rows={6}
          spellCheck={false}
          value={typed ?? written}
          onChange={(event) => {
            setTyped(event.target.value)
            onChange(linesOf(event.target.value.split(/\s+/).filter(Boolean)))
          }}
          onBlur={() => setTyped(undefined)}
        />
      )}
    </Field>
  )
}
