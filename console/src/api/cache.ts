/** What was read, for as long as it is fresh; shared by the pages and by the routes that fetch ahead of them. */

import { QueryCache, QueryClient } from '@tanstack/react-query'
import { Problem } from './problem'

export const client: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      // The session ended elsewhere: ask who we are, and the shell shows how to sign in.
      if (error instanceof Problem && error.status === 401 && query.queryKey[0] !== 'me') {
        void client.invalidateQueries({ queryKey: ['me'] })
      }
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // A refusal stays one; only silence is worth a second try.
      retry: (count, error) => count < 2 && !(error instanceof Problem && error.status < 500),
    },
  },
})
