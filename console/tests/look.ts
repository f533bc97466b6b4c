/** What cannot be reached by an address alone – dialogs, answers – looked at where a test has come to it. */

import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { serious } from './axe'
import { keepPicture } from './picture'

/** In both themes, wide and on a phone, as `look.test.ts` does for pages; the page is left as it was. */
export async function looksRight(page: Page, name: string): Promise<void> {
  const before = page.viewportSize() ?? { width: 1440, height: 900 }
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1440, 390]) {
      const at = `${name} ${colorScheme} at ${width} px`
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: width < 500 ? 844 : 900 })
      await page.evaluate(() => document.fonts.ready)
      await keepPicture(page, `${name}-${colorScheme}-${width}`)
      expect(await page.evaluate(() => document.documentElement.scrollWidth), at).toBeLessThanOrEqual(width)
      expect(await serious(page), at).toEqual([])
    }
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(before)
}
