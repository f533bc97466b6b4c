import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { queries } from '../../api/queries'
import { command, Equivalent, flag } from '../../components/equivalent'
import { paths } from '../../paths'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { CodeBlock } from '../../ui/copy'
import { Field } from '../../ui/form'
import { Icon } from '../../ui/icon'
import { Failure, Section, Skeleton } from '../../ui/page'
import { Status } from '../../ui/status'
import { Findings } from './findings'

interface ExportProps {
  manager: string | undefined
  managed: boolean
}

/** What is there as a document, to copy or to keep. */
export function Export({ manager, managed }: ExportProps) {
  const text = useText()
  const navigate = useNavigate()
  const [name, setName] = useState(manager ?? '')
  const [only, setOnly] = useState(managed)
  const filters = { ...(manager && { manager }), ...(managed && { managed }) }
  const query = useQuery(queries.configExport(filters))
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const asked = name.trim()
    void navigate({
      to: paths.configuration,
      search: { tab: 'export', ...(asked && { manager: asked }), ...(only && { managed: 'true' }) },
    })
  }
  const asked = new URLSearchParams(Object.entries(filters).map(([name, value]) => [name, String(value)]))
  const path = `/api/v1/config/export${asked.size > 0 ? `?${asked}` : ''}`
  return (
    <>
      <p>{text.config.exportDetail}</p>
      <form className="form" onSubmit={submit}>
        <Field label={text.config.manager} optional={text.optional} hint={text.config.managerHint}>
          {(ids) => (
            <input
              {...ids}
              className="mono"
              spellCheck={false}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <div className="choices">
          <label>
            <input type="checkbox" checked={only} onChange={(event) => setOnly(event.target.checked)} />
            {text.config.managedOnly}
          </label>
        </div>
        <footer>
          <Button type="submit" busy={query.isFetching}>
            {text.config.show}
          </Button>
        </footer>
      </form>
      {query.error && <Failure error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <Skeleton lines={8} />}
      {query.data && (
        <Section
          title={text.config.document}
          actions={
            <a
              className="button primary"
              href={`data:application/yaml;charset=utf-8,${encodeURIComponent(query.data.document)}`}
              download={`${manager ?? 'safeconduct'}.yaml`}
            >
              <Icon name="down" />
              {text.config.download}
            </a>
          }
        >
          <p role="status">
            <Status of="works" label={text.config.exported(query.data.entries)} />
          </p>
          {query.data.unseen.length > 0 && <Findings of={query.data.unseen} title={text.config.unseen} />}
          <CodeBlock code={query.data.document} label={text.config.document} />
        </Section>
      )}
      <Equivalent
        method="GET"
        path={path}
        cli={command('safeconduct config export', flag('manager', manager), managed && '--managed')}
      />
    </>
  )
}
