/**
 * What of a value the server will refuse under a JSON Schema, as far as that can be told from the keywords that most schemas
 * have. It only says what is certain; everything else is the server's to find.
 */

export interface Misfit {
  /** A JSON pointer; empty for the value itself. */
  at: string
  kind: 'type' | 'required' | 'unknown' | 'choice' | 'bounds'
  /** What was expected. */
  of: string
}

type Schema = Record<string, unknown>

export function misfits(schema: unknown, value: unknown, at = ''): Misfit[] {
  if (!isObject(schema) || '$ref' in schema) return []
  const { type, enum: choices } = schema
  const types = (Array.isArray(type) ? type : [type]).filter((one) => typeof one === 'string')
  if (types.length > 0 && !types.some((one) => isOf(one, value)))
    return [{ at, kind: 'type', of: types.join(', ') }]
  if (Array.isArray(choices) && !choices.some((one) => JSON.stringify(one) === JSON.stringify(value)))
    return [{ at, kind: 'choice', of: choices.map((one) => JSON.stringify(one)).join(', ') }]
  return [...ofBounds(schema, value, at), ...ofMembers(schema, value, at)]
}

function ofBounds(schema: Schema, value: unknown, at: string): Misfit[] {
  const [size, least, most] =
    typeof value === 'number'
      ? [value, schema.minimum, schema.maximum]
      : typeof value === 'string'
        ? [[...value].length, schema.minLength, schema.maxLength]
        : Array.isArray(value)
          ? [value.length, schema.minItems, schema.maxItems]
          : [0, undefined, undefined]
  const low = typeof least === 'number' && size < least
  const high = typeof most === 'number' && size > most
  return low || high ? [{ at, kind: 'bounds', of: low ? `≥ ${least}` : `≤ ${most}` }] : []
}

function ofMembers(schema: Schema, value: unknown, at: string): Misfit[] {
  const { properties, required, items, additionalProperties } = schema
  if (Array.isArray(value))
    return 'prefixItems' in schema ? [] : value.flatMap((one, index) => misfits(items, one, `${at}/${index}`))
  if (!isObject(value)) return []
  const known = isObject(properties) ? properties : {}
  const missing = (Array.isArray(required) ? required : []).filter((name) => !Object.hasOwn(value, name))
  const closed = additionalProperties === false && !('patternProperties' in schema)
  return [
    ...missing.map((name) => ({ at, kind: 'required' as const, of: String(name) })),
    ...Object.entries(value).flatMap(([name, member]): Misfit[] => {
      const place = `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
      if (Object.hasOwn(known, name)) return misfits(known[name], member, place)
      return closed ? [{ at: place, kind: 'unknown', of: name }] : []
    }),
  ]
}

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isObject(value)
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value)
    default:
      return typeof value === type
  }
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
