// A process that reads the pictures it is named, all at once, with what it has in hand written down; a test starts it again and again.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { openInHand } from '../../src/adapters/pictures/in-hand.ts'
import { createPictureReader } from '../../src/adapters/pictures/reader.ts'
import { createTelemetry } from '../../src/telemetry.ts'

const [directory = '', ...files] = process.argv.slice(2)
const THREADS = 2
const logger = createTelemetry({ level: 'error' }).log
const reader = createPictureReader({
  thread: new URL('dying-picture-thread.ts', import.meta.url),
  threads: THREADS,
  maxPixels: 50_000_000,
  maxBytes: 16 << 20,
  timeMs: 60_000,
  logger,
  inHand: openInHand(directory, THREADS, logger),
})
const read = await Promise.all(
  files.map(async (file) => {
    const bytes = readFileSync(file)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const picture = await reader.read(bytes, sha256, new AbortController().signal)
    const kept = (await reader.keep(bytes, sha256)) !== undefined
    const said = picture.state === 'seen' ? 'seen' : `${picture.fault}: ${picture.message}`
    return [basename(file), { said, kept }] as const
  }),
)
await reader.close()
process.stdout.write(JSON.stringify(Object.fromEntries(read)))
