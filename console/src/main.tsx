import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { client } from './api/cache'
import { queries } from './api/queries'
import { router } from './routes'
import { Translated } from './text'
import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'
import './styles/layout.css'
import './styles/parts.css'
import './styles/configuration.css'
import './styles/schedules.css'

// Asked before anything is drawn: every page waits for it.
void client.prefetchQuery(queries.me())

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
