import { useEffect } from 'react'
import { remembered } from './remembered'

export type Theme = 'system' | 'light' | 'dark'

const theme = remembered<Theme>('theme', ['system', 'light', 'dark'], 'system')

export function useTheme(): [Theme, (next: Theme) => void] {
  const chosen = theme.use()
  useEffect(() => {
    // public/theme.js did the same before the first paint.
    if (chosen === 'system') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = chosen
  }, [chosen])
  return [chosen, theme.set]
}
