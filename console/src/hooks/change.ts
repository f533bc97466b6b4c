import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRef } from 'react'
import { attemptKey } from '../api/client'
import { Problem } from '../api/problem'
import { confirmed } from './step-up'

/**
 * A change: sent with the same key until the server has answered, so that trying again cannot do it twice. If it needs a
 * confirmation, that is asked for and the change is sent again. Afterwards everything on the page is read again.
 */
export function useChange<Input, Output>(
  send: (input: Input, key: string) => Promise<Output>,
  then?: (output: Output) => void,
) {
  const client = useQueryClient()
  const key = useRef<string | undefined>(undefined)
  return useMutation({
    mutationFn: (input: Input) => {
      const attempt = key.current ?? attemptKey()
      key.current = attempt
      return confirmed(() => send(input, attempt))
    },
    onSuccess: (output) => {
      key.current = undefined
      then?.(output)
      return client.invalidateQueries()
    },
    onError: (error) => {
      if (error instanceof Problem) key.current = undefined
    },
  })
}
