import { type FormEvent, useState } from 'react'
import { answered, api } from '../../api/client'
import { Problem } from '../../api/problem'
import { useChange } from '../../hooks/change'
import { useText } from '../../text'
import { Button } from '../../ui/button'
import { Dialog } from '../../ui/dialog'
import { Failure } from '../../ui/page'
import { NewPassword } from '../sign-in/new-password'

export function PasswordChange({ onClose }: { onClose: () => void }) {
  const text = useText()
  const [password, setPassword] = useState('')
  const change = useChange(
    (password: string) => answered(api.POST('/api/v1/auth/password', { body: { password } })),
    onClose,
  )
  const refused = change.error instanceof Problem ? change.error : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    change.mutate(password)
  }
  return (
    <Dialog title={text.security.setPassword} kind="centre" onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <p>{text.security.othersEnd}</p>
        <NewPassword value={password} error={refused?.of('password')} onChange={setPassword} />
        {change.error && <Failure error={change.error} />}
        <footer>
          <Button onClick={onClose}>{text.cancel}</Button>
          <Button type="submit" look="primary" busy={change.isPending}>
            {text.security.setPassword}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}
