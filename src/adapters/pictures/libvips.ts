// What libvips may do in this process: load the five formats and nothing else, and remember nothing.
import sharp from 'sharp'

const LOADERS = ['JpegBuffer', 'PngBuffer', 'WebpBuffer', 'HeifBuffer', 'NsgifBuffer']

let isLimited = false

/**
 * Of the whole process, whichever thread says it: nothing but the five is loaded, nothing is remembered. Said once, before
 * the first thread: between the two calls nothing at all can be loaded, and a picture read just then would be called broken.
 */
export function limitLibvips(): void {
  if (isLimited) return
  isLimited = true
  sharp.block({ operation: ['VipsForeignLoad'] })
  sharp.unblock({ operation: LOADERS.map((name) => `VipsForeignLoad${name}`) })
  quietLibvips()
}

/** In each thread again: sharp turns the cache on whenever it is loaded. */
export function quietLibvips(): void {
  // Every picture comes once: a cache would only hold memory.
  sharp.cache(false)
  // The threads that we start are the parallelism.
  sharp.concurrency(1)
}
