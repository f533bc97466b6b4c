import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { answered, api } from '../api/client'
import { paths } from '../paths'
import { useChange } from './change'

/** Goes over to another organization: a new session there, and nothing of the old one is left in memory. */
export function useSwitch() {
  const client = useQueryClient()
  const navigate = useNavigate()
  return useChange(
    (org: string) => answered(api.POST('/api/v1/auth/switch', { body: { org } })),
    () => {
      void navigate({ to: paths.home })
      void client.resetQueries()
    },
  )
}
