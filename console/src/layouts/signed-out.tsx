import { useEffect } from 'react'
import { useText } from '../text'
import { CodeBlock } from '../ui/copy'
import { Bare } from './bare'

/** Nobody is signed in: until sign-in providers exist, a link from the server's own terminal is the way. */
export function SignedOut() {
  const text = useText()
  useEffect(() => {
    document.title = `${text.signedOut.title} · Safeconduct`
  }, [text])
  return (
    <Bare title={text.signedOut.title}>
      <p>{text.signedOut.detail}</p>
      <CodeBlock code="safeconduct admin link" label={text.example} />
      <p className="muted">{text.signedOut.where}</p>
    </Bare>
  )
}
