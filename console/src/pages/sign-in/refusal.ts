/** What a provider's way back to the sign-in page says of a sign-in that failed: `#error=<code of a problem>`. */

import type { Text } from '../../text/en'

/** The code, if the fragment carries one that can be a code; what is anything else is nobody's to show. */
export function refusalIn(fragment: string): string | undefined {
  const code = new URLSearchParams(fragment).get('error')
  return code !== null && /^[a-z][a-z0-9_]{0,63}$/.test(code) ? code : undefined
}

/** A line for each code that the way back is known to end in, and one for all others. */
export function lineOf(text: Text, code: string): string {
  const { lines, otherwise } = text.signIn.refused
  return Object.hasOwn(lines, code) ? lines[code as keyof typeof lines] : otherwise
}
