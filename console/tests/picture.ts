/** Pictures of pages, kept small: as a palette of 256 colours (PNG, ISO/IEC 15948), which is all that a console's page needs. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32, deflateSync, inflateSync } from 'node:zlib'
import type { Page } from 'playwright-core'

/** Into the folder that SCREENSHOTS names, if it names one. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  const folder = process.env.SCREENSHOTS
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${name}.png`), reduced(await page.screenshot()))
}

/** Eight bits of red, green and blue for each pixel come in, as a browser writes them; one byte of a palette goes out. */
export function reduced(png: Buffer): Buffer {
  const chunks = chunksOf(png)
  const head = chunks.find(({ type }) => type === 'IHDR')?.data ?? Buffer.alloc(13)
  const [width, height] = [head.readUInt32BE(0), head.readUInt32BE(4)]
  if (head[8] !== 8 || head[9] !== 2 || head[12] !== 0) return png
  const data = chunks.filter(({ type }) => type === 'IDAT').map((chunk) => chunk.data)
  const pixels = unfiltered(inflateSync(Buffer.concat(data)), width * 3, height)
  const counts = new Map<number, number>()
  for (let at = 0; at < pixels.length; at += 3) {
    const colour = pixels.readUIntBE(at, 3)
    counts.set(colour, (counts.get(colour) ?? 0) + 1)
  }
  const palette = [...counts]
    .sort(([, one], [, other]) => other - one)
    .slice(0, 256)
    .map(([colour]) => colour)
  const places = new Map([...counts.keys()].map((colour) => [colour, nearest(palette, colour)]))
  const rows = Buffer.alloc((width + 1) * height)
  for (let at = 0; at < width * height; at++)
    rows[at + Math.floor(at / width) + 1] = places.get(pixels.readUIntBE(at * 3, 3)) ?? 0
  const colours = Buffer.alloc(palette.length * 3)
  palette.forEach((colour, at) => {
    colours.writeUIntBE(colour, at * 3, 3)
  })
  const newHead = Buffer.from(head)
  newHead[9] = 3
  return Buffer.concat([
    png.subarray(0, 8),
    chunk('IHDR', newHead),
    chunk('PLTE', colours),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunksOf(png: Buffer): { type: string; data: Buffer }[] {
  const chunks = []
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const size = png.readUInt32BE(at)
    chunks.push({ type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, at + 8 + size) })
  }
  return chunks
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const around = Buffer.alloc(8)
  around.writeUInt32BE(data.length, 0)
  around.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([around.subarray(0, 4), body, around.subarray(4)])
}

/** Each row says by which of its neighbours it is to be read. */
function unfiltered(rows: Buffer, stride: number, height: number): Buffer {
  const pixels = Buffer.alloc(stride * height)
  for (let row = 0; row < height; row++) {
    const filter = rows[row * (stride + 1)]
    for (let at = 0; at < stride; at++) {
      const here = row * stride + at
      const left = at >= 3 ? (pixels[here - 3] ?? 0) : 0
      const up = row > 0 ? (pixels[here - stride] ?? 0) : 0
      const corner = at >= 3 && row > 0 ? (pixels[here - stride - 3] ?? 0) : 0
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter ?? 0] ?? 0
      pixels[here] = ((rows[row * (stride + 1) + 1 + at] ?? 0) + guess) & 255
    }
  }
  return pixels
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)]
  return a <= b && a <= c ? left : b <= c ? up : corner
}

function nearest(palette: number[], colour: number): number {
  let [found, least] = [0, Number.POSITIVE_INFINITY]
  palette.forEach((other, at) => {
    const away = [16, 8, 0].reduce(
      (sum, by) => sum + (((colour >> by) & 255) - ((other >> by) & 255)) ** 2,
      0,
    )
    if (away < least) [found, least] = [at, away]
  })
  return found
}
