import { useQuery } from '@tanstack/react-query'
import { answered, api } from '../api/client'

interface Named {
  id: string
  name: string
}

const most = { params: { query: { limit: 200 } } }

/** The names of the newest of each sort; whoever may not list them sees ids. */
const readers: Record<string, () => Promise<Named[]>> = {
  agt: async () => (await answered(api.GET('/api/v1/agents', most))).items.map(qualified),
  fn: async () => (await answered(api.GET('/api/v1/functions', most))).items.map(qualified),
  sch: async () => (await answered(api.GET('/api/v1/schedules', most))).items,
  grp: async () => (await answered(api.GET('/api/v1/groups', most))).items,
  usr: async () =>
    (await answered(api.GET('/api/v1/users', most))).items.map(({ id, display_name }) => ({
      id,
      name: display_name,
    })),
}

function qualified({ id, namespace, name }: { id: string; namespace: string; name: string }): Named {
  return { id, name: `${namespace}:${name}` }
}

/** What people call the thing with this id, if it is known here. */
export function useName(id: string | null | undefined): string | undefined {
  const sort = id?.split('_')[0] ?? ''
  const read = readers[sort]
  const names = useQuery({
    queryKey: ['names', sort],
    queryFn: read ?? (() => []),
    enabled: read !== undefined,
    staleTime: 60_000,
    retry: false,
    select: (all: Named[]) => new Map(all.map(({ id, name }) => [id, name])),
  })
  return id ? names.data?.get(id) : undefined
}
