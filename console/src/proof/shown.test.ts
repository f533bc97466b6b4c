import { describe, expect, test } from 'vitest'
import type { FactDetail } from '../api/types'
import { verifyFact } from './shown'
import vectors from './vectors/vectors.json'

const answer = vectors.fact
const read = (text: string) => JSON.parse(text) as FactDetail
const { id } = read(answer)

const steps = async (text: string) => verifyFact(read(text), id)
const failing = async (text: string) =>
  (await steps(text)).filter((step) => !step.holds).map((step) => step.name)

describe('an answer made in Python', () => {
  test('proves itself in five steps', async () => {
    expect(await failing(answer)).toEqual([])
    expect((await steps(answer)).map((step) => step.name)).toEqual([
      'shown',
      'private',
      'leaf',
      'tree',
      'signature',
    ])
  })

  test('is not verified when any single byte of it was altered on the way', async () => {
    const passed: string[] = []
    for (let at = 0; at < answer.length; at++) {
      const altered = answer.slice(0, at) + other(answer.charAt(at)) + answer.slice(at + 1)
      const verified = await steps(altered).then(
        (found) => found.length > 0 && found.every((step) => step.holds),
        () => false,
      )
      if (verified) passed.push(altered.slice(Math.max(0, at - 20), at + 20))
    }
    expect(passed).toEqual([])
  })

  test('names the step that fails', async () => {
    expect(await failing(answer.replace('"ip":"192.0.2.7"', '"ip":"192.0.2.8"'))).toEqual(['shown'])
    expect(await failing(answer.replaceAll('192.0.2.7', '192.0.2.8'))).toEqual(['private'])
    expect(await failing(answer.replaceAll('run.succeeded', 'run.completed'))).toEqual([
      'leaf',
      'tree',
      'signature',
    ])
    expect(await failing(answer.replaceAll('"seq":5', '"seq":4'))).toContain('signature')
    expect(await failing(answer.replace('\\n13\\n', '\\n14\\n'))).toEqual(['signature'])
  })

  test('of another fact is not the one that was asked for', async () => {
    const asked = await verifyFact(read(answer), id.replace(/.$/, '0'))
    expect(asked.map((step) => step.holds)).toEqual([false])
  })

  test('whose private part was erased is not called verified', async () => {
    const { proof, ...fact } = read(answer)
    expect(await verifyFact({ ...fact, proof: proof ? { ...proof, private: null } : null }, id)).toEqual([])
    expect(await verifyFact({ ...fact, proof: null }, id)).toEqual([])
  })
})

/** Another character of the same sort, so that the answer mostly stays readable. */
function other(character: string): string {
  if (/[0-8a-eg-yA-Y]/.test(character)) return String.fromCharCode(character.charCodeAt(0) + 1)
  return character === '0' ? '1' : '0'
}
