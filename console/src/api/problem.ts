/** A refusal of the server (RFC 9457), or the lack of an answer. */

export interface FieldError {
  field: string
  reason: string
}

export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly requestId: string | undefined
  readonly errors: FieldError[]
  /** Everything that was said, with what only this code says. */
  readonly members: Record<string, unknown>

  constructor(status: number, body: unknown, requestId: string | null) {
    const said = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
    const text = (name: string, other: string) => (typeof said[name] === 'string' ? said[name] : other)
    super(text('title', `HTTP ${status}`))
    this.status = status
    this.code = text('code', `http_${status}`)
    this.detail = text('detail', '')
    this.requestId = requestId ?? (text('request_id', '') || undefined)
    this.members = said
    this.errors = Array.isArray(said.errors) ? (said.errors as FieldError[]) : []
  }

  /** What the server says of one field, by the JSON pointer's or parameter's last name. */
  of(field: string): string | undefined {
    return this.errors.find((error) => error.field.replace(/^\//, '').split('/')[0] === field)?.reason
  }

  /** The same for what stands within an object of the request, however deep. */
  in(object: string, field: string): string | undefined {
    const at = `/${object}/${field}`
    return this.errors.find((error) => error.field === at || error.field.startsWith(`${at}/`))?.reason
  }
}

export class Unreachable extends Error {}
