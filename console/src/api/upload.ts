/** A file on its way up: in parts, from where the server says that it stands. */

import { answered, api } from './client'
import { Problem, Unreachable } from './problem'
import type { Body, FileUpload, StoredFile } from './types'

/** Bytes of a part. */
const PART = 4 * 1024 * 1024
/** Attempts in a row that bring nothing on. */
const ATTEMPTS = 6

export interface Progress {
  sent: number
  size: number
  /** The last part was cut off, and another attempt is made. */
  cut: boolean
}

/** Begins an upload and sends it; `told` hears how far it is. */
export async function upload(
  collection: string,
  file: File,
  about: Body<'uploads.create'>,
  told: (progress: Progress) => void,
): Promise<StoredFile> {
  const begun = await answered(
    api.POST('/api/v1/collections/{collection}/uploads', { body: about, params: { path: { collection } } }),
  )
  let [at, failures] = [begun.offset, 0]
  for (;;) {
    told({ sent: at, size: file.size, cut: failures > 0 })
    try {
      const standing = await append(begun.id, at, file.slice(at, at + PART))
      if (standing.file) return standing.file
      ;[at, failures] = [standing.offset, 0]
    } catch (error) {
      if (!passes(error) || ++failures >= ATTEMPTS) throw error
      await new Promise((later) => setTimeout(later, 250 * 2 ** failures))
      at = (await status(begun.id).catch(() => undefined))?.offset ?? at
    }
  }
}

function append(id: string, offset: number, part: Blob): Promise<FileUpload> {
  return answered(
    api.PATCH('/api/v1/uploads/{upload}', {
      params: { path: { upload: id } },
      headers: { 'content-type': 'application/octet-stream', 'upload-offset': String(offset) },
      body: '' as Body<'uploads.append'>,
      bodySerializer: () => part,
    }),
  )
}

function status(id: string): Promise<FileUpload> {
  return answered(api.GET('/api/v1/uploads/{upload}', { params: { path: { upload: id } } }))
}

/** Nobody answered, somebody was busy, or another part came through than we know of. */
function passes(error: unknown): boolean {
  if (error instanceof Unreachable) return true
  return (
    error instanceof Problem &&
    (error.code === 'upload_offset' || [429, 502, 503, 504].includes(error.status))
  )
}

/** Bytes as people read them. */
export function sizeOf(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let [amount, unit] = [bytes, 0]
  while (amount >= 1000 && unit < units.length - 1) {
    amount /= 1024
    unit += 1
  }
  return `${unit === 0 ? amount : amount.toPrecision(3)} ${units[unit]}`
}
