// What libvips says it could not do with a picture, in our words.
import type { Format } from './formats.ts'
import { unseen, type UnseenPicture } from './messages.ts'

export const isTimeout = (error: unknown): boolean => error instanceof Error && error.message.startsWith('timeout')

/** What libvips could not do with it. */
export function faultOf(error: unknown, format: Format): UnseenPicture {
  const said = error instanceof Error ? error.message : String(error)
  if (said.startsWith('timeout')) return unseen('too-slow', `the ${format} took too long to decode`)
  // One line, and not a novel: libvips repeats itself for every scan line, and says first where it looked for the end in vain.
  const line = said.split('\n').find((one) => !one.includes('bad seek')) ?? 'it ends too soon'
  return unseen('not-a-picture', `a ${format} that cannot be read: ${line.slice(0, 200)}`)
}
