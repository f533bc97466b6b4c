import { compact, isJson } from '../api/json-text'
import type { Property, Schema, Typed } from './settings'

/**
 * The form of an answer, from the schema that a function's question came with. The schema is a stranger's: only what we know of
 * it is taken, and whatever is not plain is typed as JSON.
 */
export interface AnswerForm {
  schema: Schema
  /** The one field that stands for the whole answer; without, the fields are the members of an object. */
  whole: string | undefined
}

/** Of the one field, where the answer is no object of known members. */
export const ANSWER = 'answer'

const PLAIN = new Set(['string', 'number', 'integer', 'boolean'])

export function answerForm(schema: unknown): AnswerForm {
  const said = record(schema)
  const properties = Object.entries(record(said.properties))
  if (properties.length === 0 || (said.type !== undefined && said.type !== 'object')) {
    return { schema: { properties: { [ANSWER]: propertyOf(said) }, required: [ANSWER] }, whole: ANSWER }
  }
  const required = Array.isArray(said.required)
    ? said.required.filter((name) => typeof name === 'string')
    : []
  return {
    schema: {
      properties: Object.fromEntries(
        properties.map(([name, property]) => [name, propertyOf(record(property))]),
      ),
      required,
    },
    whole: undefined,
  }
}

/** The answer as JSON text; undefined while something is not JSON. Numbers keep the digits that were typed. */
export function answerText({ schema, whole }: AnswerForm, typed: Typed): string | undefined {
  const properties = Object.entries(schema.properties ?? {})
  if (whole !== undefined) return valueText(schema.properties?.[whole] ?? {}, typed[whole] ?? '')
  const members: string[] = []
  for (const [name, property] of properties) {
    const text = typed[name] ?? ''
    // What is left empty and not asked for is left out.
    if (text.trim() === '' && !(property.type === 'string' && schema.required?.includes(name))) continue
    const value = valueText(property, text)
    if (value === undefined) return undefined
    members.push(`${JSON.stringify(name)}:${value}`)
  }
  return `{${members.join(',')}}`
}

function valueText({ type }: Property, text: string): string | undefined {
  if (type === 'string') return JSON.stringify(text)
  return isJson(text) ? compact(text) : undefined
}

function propertyOf(said: Record<string, unknown>): Property {
  const { type, title, description, maxLength } = said
  const isPlain = typeof type === 'string' && PLAIN.has(type)
  const words = Array.isArray(said.enum) ? said.enum : undefined
  const options = words?.every((word) => typeof word === 'string') ? words : undefined
  const numbers = words?.every((word) => typeof word === 'number') ? words.map(String) : undefined
  return {
    // Typed as JSON: objects, lists, and whatever may be of several kinds.
    type: isPlain ? type : options ? 'string' : numbers ? 'number' : 'object',
    ...(typeof title === 'string' && { title }),
    ...(typeof description === 'string' && { description }),
    ...(typeof maxLength === 'number' && { maxLength }),
    ...(options && (!isPlain || type === 'string') && { enum: options }),
    ...(numbers && (!isPlain || type !== 'string') && { enum: numbers }),
  }
}

function record(value: unknown): Record<string, unknown> {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isRecord ? (value as Record<string, unknown>) : {}
}
