import type { Hook } from '../../api/types'
import { quoted } from '../../components/equivalent'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { CodeBlock } from '../../ui/copy'
import { Dialog } from '../../ui/dialog'
import { Icon } from '../../ui/icon'
import { Properties } from '../../ui/page'

interface ShownHookProps {
  of: Hook
  title: string
  onClose: () => void
}

/** Address and secret, once, from the answer itself; the secret is kept nowhere and gone when this closes. */
export function ShownHook({ of: hook, title, onClose }: ShownHookProps) {
  const text = useText()
  return (
    <Dialog title={title} kind="centre" onClose={onClose}>
      {hook.secret && (
        <p className="once">
          <Icon name="alert" />
          {text.hooks.shownOnce}
        </p>
      )}
      <Properties
        of={[
          [text.hooks.url, <CodeBlock key="url" code={hook.url} label={text.hooks.url} wrap />],
          ...(hook.secret
            ? [
                [
                  text.hooks.secret,
                  <CodeBlock key="secret" code={hook.secret} label={text.hooks.secret} wrap once />,
                ] as [string, React.ReactNode],
              ]
            : []),
        ]}
      />
      <CodeBlock code={curlOf(hook)} label={text.hooks.tryIt} wrap />
      <footer>
        <Button look="primary" onClick={onClose}>
          {hook.secret ? text.hooks.kept : text.close}
        </Button>
      </footer>
    </Dialog>
  )
}

/** A delivery from a terminal, signed as the hook wants it where a line can do that. */
export function curlOf(hook: Hook): string {
  const body = '{"hello": "world"}'
  const method = hook.methods[0] ?? 'POST'
  const lines = [
    `curl -X ${method} ${quoted(hook.url)}`,
    ...(method === 'GET' ? [] : ["-H 'content-type: application/json'"]),
    ...proof(hook, body),
    ...(method === 'GET' ? [] : [`-d ${quoted(body)}`]),
  ]
  const before = hook.authentication.kind === 'hmac' ? signing(hook, body) : []
  return [...before, lines.join(' \\\n  ')].join('\n')
}

/** The command that makes `$SIGNATURE`. */
function signing(hook: Hook, body: string): string[] {
  const { preset, algorithm = 'sha256', encoding = 'hex', timestamp_header } = hook.authentication
  const timed =
    preset === 'stripe' || preset === 'slack' || preset === 'standard_webhooks' || timestamp_header
  const head =
    { slack: 'v0:$AT:', standard_webhooks: 'msg_1.$AT.' }[preset as string] ?? (timed ? '$AT.' : '')
  const said = `printf %s "${head}"${quoted(body)}`
  const hash = algorithm ?? 'sha256'
  const sign =
    preset === 'standard_webhooks'
      ? `openssl dgst -sha256 -mac HMAC -macopt "hexkey:$(printf %s "\${SECRET#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \\n')" -binary | openssl base64 -A`
      : encoding === 'base64'
        ? `openssl dgst -${hash} -hmac "$SECRET" -binary | openssl base64 -A`
        : `openssl dgst -${hash} -hmac "$SECRET" -hex | sed 's/.* //'`
  return [...(timed ? ['AT=$(date +%s)'] : []), `SIGNATURE=$(${said} | ${sign})`]
}

function proof(hook: Hook, _body: string): string[] {
  const { kind, preset, username, header, prefix, timestamp_header } = hook.authentication
  switch (kind) {
    case 'token':
      return ['-H "authorization: Bearer $SAFECONDUCT_TOKEN"']
    case 'basic':
      return [`-u ${quoted(username ?? '')}:"$SECRET"`]
    case 'none':
      return []
    default:
  }
  switch (preset) {
    case 'github':
      return ['-H "x-hub-signature-256: sha256=$SIGNATURE"']
    case 'stripe':
      return ['-H "stripe-signature: t=$AT,v1=$SIGNATURE"']
    case 'slack':
      return ['-H "x-slack-request-timestamp: $AT"', '-H "x-slack-signature: v0=$SIGNATURE"']
    case 'standard_webhooks':
      return [
        "-H 'webhook-id: msg_1'",
        '-H "webhook-timestamp: $AT"',
        '-H "webhook-signature: v1,$SIGNATURE"',
      ]
    default:
      return [
        `-H "${header}: ${prefix ?? ''}$SIGNATURE"`,
        ...(timestamp_header ? [`-H "${timestamp_header}: $AT"`] : []),
      ]
  }
}
