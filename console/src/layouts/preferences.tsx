import { type Theme, useTheme } from '../hooks/theme'
import { type Language, useLanguage, useText } from '../text'
import type { IconName } from '../ui/icon'
import { Icon } from '../ui/icon'
import { Menu, MenuItem } from '../ui/menu'

const themes: [Theme, IconName][] = [
  ['system', 'screen'],
  ['light', 'sun'],
  ['dark', 'moon'],
]

const languages: [Language, string][] = [
  ['en', 'English'],
  ['de', 'Deutsch'],
]

/** Theme and language: all that the console keeps in the browser. */
export function Preferences() {
  const text = useText()
  const [theme, setTheme] = useTheme()
  const [language, setLanguage] = useLanguage()
  return (
    <Menu
      label={text.preferences}
      trigger={<Icon name={theme === 'dark' ? 'moon' : theme === 'light' ? 'sun' : 'screen'} />}
    >
      {themes.map(([id, icon]) => (
        <MenuItem key={id} icon={icon} checked={id === theme} onSelect={() => setTheme(id)}>
          {text.themes[id]}
        </MenuItem>
      ))}
      <hr />
      {languages.map(([id, name]) => (
        <MenuItem key={id} checked={id === language} onSelect={() => setLanguage(id)}>
          {name}
        </MenuItem>
      ))}
    </Menu>
  )
}
