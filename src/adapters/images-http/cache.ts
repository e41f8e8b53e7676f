// Pictures that were got lately, by their SHA-256, and by which words of a host each URL can be asked whether it still has them.
import { createHash } from 'node:crypto'

/** Given by a host with a picture: sent back, it answers 304 while the picture is the same. */
export interface Validators {
  readonly etag?: string
  readonly lastModified?: string
}

export interface Cached {
  readonly bytes: Uint8Array
  readonly sha256: string
  readonly validators: Validators
}

export interface Cache {
  /** With its bytes, or not at all; nor longer than ten minutes after they were got. */
  find(url: string): Cached | undefined
  store(url: string, picture: Cached): void
  forget(url: string): void
  /** Of all pictures. */
  readonly bytes: number
}

/** A URL's entry takes half a kilobyte: 10 MB at most, whatever strangers send. */
const URLS = 20_000
/**
 * 304 is a host's word alone, or that of the time and length of a file, which whoever puts another one there can keep. So
 * after a while the picture itself is asked for. Most that comes again does so within minutes.
 */
const BELIEVED_MS = 10 * 60_000
/** A picture larger than this share would push out many others that come more often. */
const SHARE = 8

/**
 * In memory, not in the data directory: strangers' bytes on a disk are a store of whatever they like to leave there, and what
 * is gained is small: the same picture comes again within minutes (revisions, rescreening, one picture in many listings), and
 * after a restart it costs one request. Without validators nothing is stored: such a URL is fetched anew each time.
 * `Cache-Control` plays no part, because a seller writes it.
 * @param limit bytes of all pictures together; 0: none are kept.
 * @param now in milliseconds.
 */
export function createCache(limit: number, now: () => number = () => performance.now()): Cache {
  // The order of a Map is its age: what is used is put at the end, what is dropped is taken from the front.
  const urls = new Map<string, { sha256: string; validators: Validators; gotAt: number }>()
  const pictures = new Map<string, Uint8Array>()
  let total = 0

  const use = <V>(map: Map<string, V>, key: string): V | undefined => {
    const value = map.get(key)
    if (value === undefined) return undefined
    map.delete(key)
    map.set(key, value)
    return value
  }
  const first = (map: Map<string, unknown>): string => map.keys().next().value ?? ''

  return {
    get bytes() {
      return total
    },
    find(url) {
      const key = keyOf(url)
      const entry = use(urls, key)
      if (entry === undefined) return undefined
      const { sha256, validators, gotAt } = entry
      const bytes = now() - gotAt < BELIEVED_MS ? use(pictures, sha256) : undefined
      if (bytes === undefined) urls.delete(key)
      return bytes === undefined ? undefined : { bytes, sha256, validators }
    },
    store(url, { bytes, sha256, validators }) {
      if (bytes.length > limit / SHARE) return
      const key = keyOf(url)
      urls.delete(key)
      urls.set(key, { sha256, validators, gotAt: now() })
      if (urls.size > URLS) urls.delete(first(urls))
      if (use(pictures, sha256) !== undefined) return
      pictures.set(sha256, bytes)
      total += bytes.length
      while (total > limit) {
        const oldest = first(pictures)
        total -= pictures.get(oldest)?.length ?? 0
        pictures.delete(oldest)
      }
    },
    forget: (url) => void urls.delete(keyOf(url)),
  }
}

/** A URL may have 4,096 characters: the key has 43, whatever they are. */
const keyOf = (url: string): string => createHash('sha256').update(url).digest('base64url')
