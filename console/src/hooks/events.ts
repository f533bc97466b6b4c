import { useEffect, useEffectEvent, useState } from 'react'

export type Stream = 'off' | 'connecting' | 'open' | 'lost'

/** Follows server-sent events of these names while `url` is given; the browser reconnects with Last-Event-ID. */
export function useEvents(
  url: string | undefined,
  names: readonly string[],
  onEvent: (event: MessageEvent<string>) => void,
  /** The server ended the stream, or it broke off. */
  onBreak: () => void = () => {},
): Stream {
  const [state, setState] = useState<Stream>('off')
  const receive = useEffectEvent(onEvent)
  const broke = useEffectEvent(onBreak)
  const listed = names.join()
  useEffect(() => {
    if (url === undefined) {
      setState('off')
      return
    }
    setState('connecting')
    const source = new EventSource(url)
    const handle = (event: Event) => receive(event as MessageEvent<string>)
    for (const name of listed.split(',')) source.addEventListener(name, handle)
    source.onopen = () => setState('open')
    source.onerror = () => {
      setState(source.readyState === EventSource.CLOSED ? 'lost' : 'connecting')
      broke()
    }
    return () => source.close()
  }, [url, listed])
  return state
}
