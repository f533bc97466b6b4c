import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRef } from 'react'
import { attemptKey } from '../api/client'
import { Problem } from '../api/problem'

/**
 * A change: sent with the same key until the server has answered, so that trying again cannot do it twice. Afterwards
 * everything on the page is read again.
 */
export function useChange<Input, Output>(
  send: (input: Input, key: string) => Promise<Output>,
  then?: (output: Output) => void,
) {
  const client = useQueryClient()
  const key = useRef<string | undefined>(undefined)
  return useMutation({
    mutationFn: (input: Input) => {
      key.current ??= attemptKey()
      return send(input, key.current)
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
