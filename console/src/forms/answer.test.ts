import { describe, expect, it } from 'vitest'
import { ANSWER, answerForm, answerText } from './answer'

const sent = (schema: unknown, typed: Record<string, string>) => answerText(answerForm(schema), typed)

describe('the form of an answer', () => {
  it('has a field for each member of an object, and leaves out what was not given', () => {
    const schema = {
      type: 'object',
      required: ['deploy', 'why'],
      properties: {
        deploy: { type: 'boolean' },
        why: { type: 'string' },
        note: { type: 'string' },
        share: { type: 'number' },
        hosts: { type: 'array' },
      },
    }
    expect(sent(schema, { deploy: 'true', share: '0.10', hosts: '[ "a" ]' })).toBe(
      '{"deploy":true,"why":"","share":0.10,"hosts":["a"]}',
    )
    expect(sent(schema, { deploy: 'true', hosts: '[' })).toBeUndefined()
  })

  it('is one field where the answer is no object', () => {
    expect(answerForm({ type: 'boolean' }).whole).toBe(ANSWER)
    expect(sent({ type: 'boolean' }, { [ANSWER]: 'false' })).toBe('false')
    expect(sent({ type: 'string' }, { [ANSWER]: 'false' })).toBe('"false"')
    expect(sent({ enum: ['red', 'blue'] }, { [ANSWER]: 'red' })).toBe('"red"')
    expect(sent({ enum: [1, 2] }, { [ANSWER]: '2' })).toBe('2')
    expect(sent({ type: 'integer' }, { [ANSWER]: '12345678901234567890' })).toBe('12345678901234567890')
    expect(sent({ type: 'integer' }, { [ANSWER]: '' })).toBeUndefined()
    for (const anything of [null, undefined, true, {}, { type: ['string', 'null'] }, { oneOf: [] }]) {
      expect(sent(anything, { [ANSWER]: '{ "a": null }' })).toBe('{"a":null}')
      expect(sent(anything, { [ANSWER]: 'yes' })).toBeUndefined()
    }
  })

  it('takes nothing of a stranger’s schema that it does not know', () => {
    const { schema } = answerForm({
      properties: {
        secret: { type: 'string', writeOnly: true, title: { toString: 'x' }, description: 7, enum: [1, {}] },
        odd: 'string',
      },
      required: 'secret',
    })
    expect(schema).toEqual({
      properties: { secret: { type: 'string' }, odd: { type: 'object' } },
      required: [],
    })
    expect(answerForm({ properties: [] }).whole).toBe(ANSWER)
  })
})
