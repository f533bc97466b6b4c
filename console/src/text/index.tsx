/** The words of the console, in the reader's language; English is complete by type, German is checked against it. */

import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'
import { remembered } from '../hooks/remembered'
import { en, type Text } from './en'

export type Language = 'en' | 'de'

const dictionaries: Record<Language, () => Promise<Text>> = {
  en: async () => en,
  de: async () => (await import('./de')).de,
}

const language = remembered<Language>(
  'language',
  ['en', 'de'],
  navigator.language.startsWith('de') ? 'de' : 'en',
)
const Words = createContext<{ text: Text; language: Language }>({ text: en, language: 'en' })

export function Translated({ children }: { children: ReactNode }) {
  const wanted = language.use()
  const [shown, setShown] = useState<{ text: Text; language: Language } | undefined>()
  useEffect(() => {
    let current = true
    dictionaries[wanted]().then((text) => {
      document.documentElement.lang = wanted
      if (current) setShown({ text, language: wanted })
    })
    return () => {
      current = false
    }
  }, [wanted])
  return shown && <Words value={shown}>{children}</Words>
}

export function useText(): Text {
  return useContext(Words).text
}

export function useLanguage(): [Language, (next: Language) => void] {
  return [useContext(Words).language, language.set]
}
