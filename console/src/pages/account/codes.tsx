import { answered, api } from '../../api/client'
import { useChange } from '../../hooks/change'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { CodeBlock } from '../../ui/copy'
import { Dialog } from '../../ui/dialog'
import { Icon } from '../../ui/icon'
import { Failure } from '../../ui/page'

/** Shown this one time: nothing but the dialog holds them. */
export function RecoveryCodes({ codes, onClose }: { codes: string[]; onClose: () => void }) {
  const text = useText()
  return (
    <Dialog title={text.security.shownTitle} kind="centre" onClose={onClose}>
      <p className="once">
        <Icon name="alert" />
        {text.security.shownOnce}
      </p>
      <CodeBlock code={codes.join('\n')} label={text.security.codes} once />
      <footer>
        <Button look="primary" onClick={onClose}>
          {text.credentials.kept}
        </Button>
      </footer>
    </Dialog>
  )
}

/** New ones in the place of the old. */
export function Renewal({ onDone, onClose }: { onDone: (codes: string[]) => void; onClose: () => void }) {
  const text = useText()
  const renew = useChange(
    () => answered(api.POST('/api/v1/auth/recovery-codes')),
    ({ recovery_codes }) => onDone(recovery_codes),
  )
  return (
    <Dialog title={text.security.renew} kind="centre" onClose={onClose}>
      <p>{text.security.renewDetail}</p>
      {renew.error && <Failure error={renew.error} />}
      <footer>
        <Button onClick={onClose}>{text.cancel}</Button>
        <Button look="danger" busy={renew.isPending} onClick={() => renew.mutate(undefined)}>
          {text.security.renew}
        </Button>
      </footer>
    </Dialog>
  )
}
