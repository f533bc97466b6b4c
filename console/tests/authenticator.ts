/** An authenticator app (RFC 6238), and one that reads QR codes; a device that keeps passkeys. */

import { createHmac } from 'node:crypto'
import jsQR from 'jsqr'
import type { Locator, Page } from 'playwright-core'

const STEP = 30_000

/** What an app shows `ahead` steps from now: a code works once, so the next sign-in needs the next one. */
export function codeOf(secret: string, ahead = 0): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / STEP) + ahead))
  const tag = createHmac('sha1', base32(secret)).update(counter).digest()
  const at = (tag.at(-1) ?? 0) & 15
  return String((tag.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

function base32(text: string): Buffer {
  const bits = [...text.replaceAll(' ', '')]
    .map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
    .join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}

/** What a camera reads: the picture as it was drawn, eight dots to a module. */
export async function scanned(code: Locator): Promise<string | undefined> {
  const { size, path } = await code.evaluate((svg) => ({
    size: (svg as SVGSVGElement).viewBox.baseVal.width,
    path: svg.querySelector('path')?.getAttribute('d') ?? '',
  }))
  const scale = 8
  const width = size * scale
  const pixels = new Uint8ClampedArray(width * width * 4).fill(255)
  for (const [, x, y] of path.matchAll(/M(\d+) (\d+)h1v1h-1z/g)) {
    for (let dot = 0; dot < scale * scale; dot++) {
      const row = Number(y) * scale + Math.floor(dot / scale)
      const pixel = (row * width + Number(x) * scale + (dot % scale)) * 4
      pixels.fill(0, pixel, pixel + 3)
    }
  }
  return jsQR(pixels, width, width)?.data
}

/** Chromium's own virtual authenticator: a device with user verification that keeps passkeys. */
export async function withPasskeys(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
}
