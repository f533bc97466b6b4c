import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Problem } from './api/problem'
import { router } from './routes'
import { Translated } from './text'
import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'
import './styles/layout.css'
import './styles/parts.css'

const client: QueryClient = new QueryClient({
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

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <Translated>
          <RouterProvider router={router} />
        </Translated>
      </QueryClientProvider>
    </StrictMode>,
  )
}
