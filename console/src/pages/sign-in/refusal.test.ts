import { expect, test } from 'vitest'
import { de } from '../../text/de'
import { en } from '../../text/en'
import { lineOf, refusalIn } from './refusal'

test('the code is read out of the fragment', () => {
  expect(refusalIn('error=sign_in_refused')).toBe('sign_in_refused')
  expect(refusalIn('error=provider_disabled&state=x')).toBe('provider_disabled')
})

test.each(['', 'error', 'error=', 'token=x', 'error=Call+0800+now', 'error=../x', `error=${'a'.repeat(65)}`])(
  'no code stands in %j',
  (fragment) => expect(refusalIn(fragment)).toBeUndefined(),
)

test('known codes have lines of their own, all others one', () => {
  for (const text of [en, de]) {
    const known = Object.keys(text.signIn.refused.lines)
    expect(known).toContain('sign_in_refused')
    expect(new Set(known.map((code) => lineOf(text, code))).size).toBe(known.length)
    expect(lineOf(text, 'teapot')).toBe(text.signIn.refused.otherwise)
    expect(lineOf(text, 'constructor')).toBe(text.signIn.refused.otherwise)
  }
})
