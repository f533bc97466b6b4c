import { type FormEvent, useState } from 'react'
import { Problem } from '../api/problem'
import type { Body, FileCollection, StoredFile } from '../api/types'
import { type Progress, sizeOf, upload } from '../api/upload'
import { command, Equivalent, flag, flags, quoted } from '../components/equivalent'
import { useChange } from '../hooks/change'
import { useText } from '../text'
import { Button } from '../ui/button'
import { Field } from '../ui/form'
import { Failure } from '../ui/page'
import { listed } from './listed'
import { VISIBILITIES, type Visibility } from './namespace'

interface UploadFormProps {
  collection: FileCollection
  onDone: (file: StoredFile) => void
}

/** Sends a file from this machine, in parts; a name that is taken gets a new version. */
export function UploadForm({ collection, onDone }: UploadFormProps) {
  const text = useText()
  const [file, setFile] = useState<File>()
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const [tags, setTags] = useState('')
  const [visibility, setVisibility] = useState<Visibility>(collection.default_visibility)
  const [progress, setProgress] = useState<Progress>()
  const about: Body<'uploads.create'> = {
    name: name.trim(),
    size: file?.size ?? 0,
    ...(file?.type && { content_type: file.type }),
    ...(description.trim() && { description: description.trim() }),
    ...(tags.trim() && { tags: listed(tags) }),
    ...(visibility !== collection.default_visibility && { visibility }),
  }
  const save = useChange(() => upload(collection.name, file as File, about, setProgress), onDone)
  const refused = save.error instanceof Problem ? save.error : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (file) save.mutate(undefined)
  }
  return (
    <form className="form" onSubmit={submit}>
      <Field label={text.files.choose}>
        {(ids) => (
          <input
            {...ids}
            type="file"
            required
            onChange={(event) => {
              const chosen = event.target.files?.[0]
              setFile(chosen)
              if (chosen && name === '') setName(chosen.name)
            }}
          />
        )}
      </Field>
      <Field label={text.files.fileName} hint={text.files.fileNameHint} error={refused?.of('name')}>
        {(ids) => (
          <input
            {...ids}
            className="mono"
            required
            spellCheck={false}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      <Field label={text.description} optional={text.optional} error={refused?.of('description')}>
        {(ids) => (
          <textarea
            {...ids}
            rows={2}
            maxLength={4000}
            value={description}
            onChange={(event) => setDescription(event.target.value)}
          />
        )}
      </Field>
      <Field
        label={text.files.tags}
        optional={text.optional}
        hint={text.files.tagsHint}
        error={refused?.of('tags')}
      >
        {(ids) => <input {...ids} value={tags} onChange={(event) => setTags(event.target.value)} />}
      </Field>
      <Field label={text.files.visibility} error={refused?.of('visibility')}>
        {(ids) => (
          <select
            {...ids}
            value={visibility}
            onChange={(event) => setVisibility(event.target.value as Visibility)}
          >
            {VISIBILITIES.filter((one) => one !== 'group').map((one) => (
              <option key={one} value={one}>
                {text.files.visibilities[one]}
              </option>
            ))}
          </select>
        )}
      </Field>
      {progress && !save.error && (
        <p role="status">
          <progress aria-label={text.files.progress} value={progress.sent} max={Math.max(progress.size, 1)} />{' '}
          {progress.cut ? text.files.goesOn : text.files.sent(sizeOf(progress.sent), sizeOf(progress.size))}
        </p>
      )}
      {save.error && <Failure error={save.error} />}
      <Equivalent
        method="POST"
        path={`/api/v1/collections/${collection.name}/uploads`}
        body={about}
        cli={command(
          'safeconduct files put',
          collection.name,
          quoted(file?.name ?? '<file>'),
          quoted(about.name || '<name>'),
          flag('type', about.content_type),
          flag('description', about.description),
          flags('tag', about.tags),
          flag('visibility', about.visibility),
        )}
      />
      <footer>
        <Button look="primary" type="submit" busy={save.isPending}>
          {text.files.upload}
        </Button>
      </footer>
    </form>
  )
}
