import { compact } from '../api/json-text'
import { command, flag, flags, given, quoted } from '../components/equivalent'
import { type New, REMEMBERED } from './hook-draft'

/** The same on the command line; `of` is the path of a new hook, or the id of one that is there. Undefined where none says it. */
export function hookCommand(
  verb: 'create' | 'update',
  of: string,
  body: Partial<New>,
  further?: string | false,
): string | undefined {
  const by = body.authentication
  const generic = by?.preset === 'generic'
  const repeat = body.deduplication
  const numbers = [body.rate_per_minute, body.concurrency, body.max_body_bytes]
  // No flag empties a list, takes away what tells a repeat, or says how long one is remembered.
  const emptied = body.permissions?.length === 0 || body.allowed_ips?.length === 0
  if (emptied || repeat === null || numbers.includes(null)) return undefined
  if (repeat && repeat.ttl_seconds !== REMEMBERED) return undefined
  return command(
    `safeconduct hooks ${verb}`,
    quoted(of),
    verb === 'update' && flag('path', body.path),
    flag('function', body.target?.function || (verb === 'create' ? '<function>' : undefined)),
    flag('auth', by?.kind),
    by?.kind === 'hmac' && flag('preset', by.preset),
    flag('username', by?.username),
    generic && flag('signature-header', by?.header),
    generic && flag('algorithm', by?.algorithm),
    generic && flag('encoding', by?.encoding),
    flag('prefix', by?.prefix),
    flag('timestamp-header', by?.timestamp_header),
    flag('tolerance', by?.tolerance_seconds),
    body.secret !== undefined && '--secret-file secret.txt',
    flags('method', body.methods),
    given('description', body.description),
    flags('permission', body.permissions),
    flags('allow-ip', body.allowed_ips),
    flag('input', body.input?.mode),
    body.input?.defaults && flag('defaults', compact(JSON.stringify(body.input.defaults))),
    body.routes && flag('routes', compact(JSON.stringify(body.routes))),
    flag('response', body.response),
    flag('deduplicate-by', repeat?.header),
    flag('deduplicate-at', repeat?.pointer),
    flag('rate', body.rate_per_minute),
    flag('concurrency', body.concurrency),
    flag('max-body', body.max_body_bytes),
    further,
  )
}
