/** Settings that a JSON Schema describes: as typed, and as the API takes them. */

/** As much of JSON Schema as settings use. */
export interface Schema {
  properties?: Record<string, Property>
  required?: string[]
  additionalProperties?: unknown
}

export interface Property {
  type?: string
  title?: string
  description?: string
  enum?: string[]
  default?: unknown
  format?: string
  maxLength?: number
  writeOnly?: boolean
  items?: { type?: string }
}

/** As typed, by the names of the settings; all of them as one JSON text where nothing is known about them. */
export type Typed = Record<string, string>

/** Where the whole is typed as JSON. */
export const WHOLE = ''

/** Beside the name of a secret setting: where in a Vault it lies, as JSON of a `VaultPlace`. */
const PLACE = ' place'

/** Where a secret lies; with a `value`, it is written there. */
export interface VaultPlace {
  mount: string
  path: string
  key: string
  engine?: string
  version?: number
  value?: string
}

export function placeOf(typed: Typed, name: string): VaultPlace | undefined {
  const text = typed[name + PLACE]
  return text ? (JSON.parse(text) as VaultPlace) : undefined
}

/** The secret lies there, or, with none, is typed and kept here. */
export function placed(typed: Typed, name: string, place: VaultPlace | undefined): Typed {
  const { [name + PLACE]: _, ...rest } = typed
  return place ? { ...rest, [name]: '', [name + PLACE]: JSON.stringify(place) } : rest
}

/** Whether a kind says which settings it has; else they are one JSON object. */
export function isOpen(schema: Schema): boolean {
  return !schema.properties && schema.additionalProperties !== false
}

/** What the API is sent: only what was given. Undefined while something is not JSON. */
export function settingsOf(schema: Schema, typed: Typed): Record<string, unknown> | undefined {
  try {
    if (isOpen(schema)) {
      const whole: unknown = JSON.parse(typed[WHOLE] || '{}')
      const isObject = typeof whole === 'object' && whole !== null && !Array.isArray(whole)
      return isObject ? (whole as Record<string, unknown>) : undefined
    }
    const given = Object.entries(schema.properties ?? {}).filter(
      ([name]) => placeOf(typed, name) || (typed[name] ?? '').trim() !== '',
    )
    return Object.fromEntries(
      given.map(([name, property]) => [name, placeOf(typed, name) ?? parsed(property, typed[name] ?? '')]),
    )
  } catch {
    return undefined
  }
}

/** Settings as they stand, as their fields hold them; of secrets nothing is told but where they lie, if not here. */
export function typedOf(schema: Schema, settings: Record<string, unknown>): Typed {
  if (isOpen(schema)) return { [WHOLE]: JSON.stringify(settings, null, 2) }
  const known = Object.entries(schema.properties ?? {}).filter(([name]) => settings[name] !== undefined)
  return Object.fromEntries(
    known.map(([name, property]) =>
      property.writeOnly
        ? [name + PLACE, JSON.stringify(settings[name])]
        : [name, written(property, settings[name])],
    ),
  )
}

function written({ type, items }: Property, value: unknown): string {
  if (typeof value === 'string' && (type === undefined || type === 'string')) return value
  if (type === 'array' && items?.type === 'string' && Array.isArray(value)) return value.join('\n')
  return JSON.stringify(value)
}

/** What is secret is typed into the file by whoever writes it. */
export function withoutSecrets(schema: Schema, settings: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      name,
      schema.properties?.[name]?.writeOnly ? withoutValue(value) : value,
    ]),
  )
}

function withoutValue(secret: unknown): unknown {
  if (typeof secret !== 'object' || secret === null) return '…'
  return 'value' in secret ? { ...secret, value: '…' } : secret
}

function parsed({ type, items }: Property, text: string): unknown {
  if (type === undefined || type === 'string') return text
  if (type === 'array' && items?.type === 'string') return text.split(/[\s,]+/).filter(Boolean)
  return JSON.parse(text)
}
