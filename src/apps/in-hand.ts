// Where it is written down what picture threads have in hand: in the data directory, or else among this user's temporary files.
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openInHand, type InHand } from '../adapters/pictures/in-hand.ts'
import type { Config } from '../config.ts'
import { messageOf } from '../errors.ts'
import type { Logger } from '../telemetry.ts'

/** Undefined where neither can be written: the gate works without, until a picture ends it. Closed by who reads. */
export function noteInHand(config: Config, threads: number, log: Logger): InHand | undefined {
  const inData = join(config.TOUCHSTONE_DATA_DIR, 'pictures-in-hand')
  const failed: string[] = []
  for (const directory of [inData, join(tmpdir(), `touchstone-${nameOf(config)}`)]) {
    try {
      return openInHand(directory, threads, log)
    } catch (error) {
      failed.push(messageOf(error))
    }
  }
  log.warn(
    { failed },
    'what pictures are being decoded cannot be written down: if one ends the process, nobody will know which; let TOUCHSTONE_DATA_DIR be a directory that this user may write',
  )
  return undefined
}

/** The same at the next start, and another one for another user, data directory or store. No password goes into it. */
function nameOf({ TOUCHSTONE_DATA_DIR, DATABASE_URL }: Config): string {
  const { host, pathname } = DATABASE_URL === undefined ? { host: '', pathname: '' } : new URL(DATABASE_URL)
  const store = JSON.stringify([process.getuid?.(), TOUCHSTONE_DATA_DIR, host, pathname])
  return createHash('sha256').update(store).digest('hex').slice(0, 16)
}
