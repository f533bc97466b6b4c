import { expect, test } from 'vitest'
import { de } from './de'
import { en } from './en'

/** Words that are the same in both languages. */
const shared = [
  '(optional)',
  'Agent',
  'Browser',
  'Client',
  'Code',
  'Hook',
  'Hooks',
  'Info',
  'Kill',
  'Links',
  'Live',
  'Log',
  'MCP',
  'Name',
  'Person',
  'SHA-256',
  'Safeconduct',
  'Server',
  'Token',
  'Traceback',
  'Upload',
  'Version',
  'Webhook',
]

/** Each word with its path; functions are asked with a name and with numbers, so that both their forms are seen. */
function words(of: object, path = ''): [string, string][] {
  return Object.entries(of).flatMap(([name, value]): [string, string][] => {
    const at = `${path}.${name}`
    if (typeof value === 'string') return [[at, value]]
    if (typeof value === 'function')
      return ['ops:triage', 1, 2].map((argument) => [`${at}(${argument})`, String(value(argument))])
    return words(value as object, at)
  })
}

test('German says everything that English says, in words of its own', () => {
  const english = new Map(words(en))
  const german = new Map(words(de))
  expect([...german.keys()]).toEqual([...english.keys()])
  const untranslated = [...german].filter(([at, word]) => english.get(at) === word && !shared.includes(word))
  expect(untranslated).toEqual([])
  const empty = [...english, ...german].filter(([, word]) => word.trim() === '')
  expect(empty).toEqual([])
})
