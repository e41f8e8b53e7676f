// Bytes of pictures that are at hand: in the listing itself, or, for tools, in one folder that no path leads out of.
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { isPathBelow } from '../../domain/listing.ts'
import type { Got, ImageReference, PictureFetcher } from '../../pipeline/pictures/ports.ts'
import { unseen } from './messages.ts'

/** What the listing carries as base64. */
export function inlineFetcher(maxBytes: number): PictureFetcher {
  return {
    get(image) {
      if (image.data === undefined) return Promise.resolve(unseen('gone', 'the listing carries no bytes of it'))
      const length = Buffer.byteLength(image.data, 'base64')
      if (length > maxBytes) return Promise.resolve(tooLarge(length, maxBytes))
      return Promise.resolve(got(Buffer.from(image.data, 'base64'), image))
    },
  }
}

/**
 * A `url` that is a path below `root`. Nothing outside is read, whatever links lie in the folder, and no web address asked.
 * Without a limit of time, as what is inline: the wait for a turn to read must not count as that of a slow disk.
 */
export function folderFetcher(root: string, maxBytes: number): PictureFetcher {
  return {
    async get(image) {
      if (image.url === undefined) return unseen('gone', 'no file is named')
      if (/^https?:/i.test(image.url)) return unseen('not-fetched', 'only files of the folder are read here')
      if (!isPathBelow(image.url)) return unseen('address-refused', 'it is no path below the folder')
      try {
        const folder = await realpath(root)
        const path = await realpath(join(folder, image.url))
        if (!path.startsWith(folder.endsWith(sep) ? folder : folder + sep))
          return unseen('address-refused', 'the file lies outside of the folder')
        return await readWhole(path, maxBytes, image)
      } catch (error) {
        return faultOf(error)
      }
    },
  }
}

async function readWhole(path: string, maxBytes: number, image: ImageReference): Promise<Got> {
  // Without waiting: a pipe with nobody at its other end would hold us for ever. The links are resolved already.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  try {
    const stat = await file.stat()
    if (!stat.isFile()) return unseen('not-a-picture', 'it is no file')
    if (stat.size > maxBytes) return tooLarge(stat.size, maxBytes)
    // One byte more than it had: a file that grows meanwhile is not read for ever.
    const { bytesRead, buffer } = await file.read(Buffer.alloc(stat.size + 1), 0, stat.size + 1, 0)
    return bytesRead > maxBytes ? tooLarge(bytesRead, maxBytes) : got(buffer.subarray(0, bytesRead), image)
  } finally {
    await file.close()
  }
}

function faultOf(error: unknown): Got {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  if (code === 'ENOENT' || code === 'ENOTDIR') return unseen('gone', 'there is no such file')
  // A link that leads to itself; a name too long for any file.
  if (code === 'ELOOP' || code === 'ENAMETOOLONG') return unseen('address-refused', `not a path: ${code}`)
  return unseen('unreachable', `the file cannot be read: ${code}`)
}

const tooLarge = (length: number, maxBytes: number): Got =>
  unseen('too-large', `${length} bytes; at most ${maxBytes} are read`)

/** The reference binds the bytes where it names their hash. */
function got(bytes: Uint8Array, image: ImageReference): Got {
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  if (image.sha256 !== undefined && image.sha256 !== sha256)
    return unseen('hash-differs', `expected sha256 ${image.sha256}, got ${sha256}`)
  return { state: 'got', bytes, sha256 }
}
