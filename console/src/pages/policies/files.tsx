import { useState } from 'react'
import type { FieldError } from '../../api/problem'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Editor } from '../../ui/editor'
import { DATA, type File, placeIn } from './draft'
import { rego } from './rego'

interface FilesProps {
  of: File[]
  /** Left out where it is only read. */
  onChange?: (files: File[]) => void
  errors?: FieldError[]
}

/** The files of a bundle, one at a time, with what is wrong at its line. */
export function Files({ of: files, onChange, errors = [] }: FilesProps) {
  const text = useText()
  const [chosen, setChosen] = useState(0)
  const at = Math.min(chosen, files.length - 1)
  const file = files[at]
  if (!file) return null
  const isData = file.path === DATA
  const wrong = errors.map(({ field }) => placeIn(field)).find((place) => place?.path === file.path)
  const put = (change: Partial<File>) =>
    onChange?.(files.map((one, index) => (index === at ? { ...one, ...change } : one)))
  const add = (added: File) => {
    onChange?.([...files, added])
    setChosen(files.length)
  }
  return (
    <div className="files">
      <div className="row" role="group" aria-label={text.policies.files}>
        {files.map(({ path }, index) => (
          <Button
            // biome-ignore lint/suspicious/noArrayIndexKey: a file keeps its place while its name is typed
            key={index}
            look="ghost"
            aria-pressed={index === at}
            onClick={() => setChosen(index)}
          >
            {path || '…'}
          </Button>
        ))}
        {onChange && (
          <>
            <Button
              look="ghost"
              icon="plus"
              onClick={() => add({ path: `rules-${files.length + 1}.rego`, text: 'package safeconduct\n' })}
            >
              {text.policies.addFile}
            </Button>
            {!files.some(({ path }) => path === DATA) && (
              <Button look="ghost" icon="plus" onClick={() => add({ path: DATA, text: '{}\n' })}>
                {DATA}
              </Button>
            )}
          </>
        )}
      </div>
      {onChange && !isData && (
        <div className="row">
          <input
            className="mono"
            aria-label={text.policies.fileName}
            value={file.path}
            required
            pattern="[A-Za-z0-9_\-]+\.rego"
            spellCheck={false}
            onChange={(event) => put({ path: event.target.value })}
          />
          <Button
            look="ghost"
            icon="cross"
            reason={files.length === 1 ? text.policies.lastFile : undefined}
            onClick={() => onChange(files.filter((_, index) => index !== at))}
          >
            {text.policies.removeFile}
          </Button>
        </div>
      )}
      <Editor
        key={at}
        label={file.path}
        value={file.text}
        rows={22}
        wrongLines={wrong?.line === undefined ? [] : [wrong.line]}
        {...(!isData && { paint: rego })}
        {...(onChange && { onChange: (text: string) => put({ text }) })}
      />
    </div>
  )
}
