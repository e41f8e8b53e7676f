// Pictures through the reader against the bare decoding and hashing in the same run, and whether memory stays flat.
//
//   node scripts/bench/images.ts [--pictures 2000] [--threads 2] [--json]
//
// The pictures are drawn here: 48 of 400 to 1600 pixels, as shops show them, in the mix of formats below; each comes again and
// again, for nothing on this path remembers it. `bare` decodes with sharp and hashes on the main thread, as many at a time as
// there are threads: libvips works beside it, the hash does not. Resident memory is sampled while the reader works.
import { createHash } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { createPictureReader } from '../../src/adapters/pictures/reader.ts'
import { pdqOf } from '../../src/imaging/pdq.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { barePixels, drawnPicture, ENCODE } from './pictures.ts'

const { values: args } = parseArgs({
  options: {
    pictures: { type: 'string', default: '2000' },
    threads: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
})
const [PICTURES, THREADS] = [Number(args.pictures), Number(args.threads)]

const { jpeg, webp, png, avif } = ENCODE
const FORMATS = [jpeg, jpeg, jpeg, jpeg, jpeg, jpeg, jpeg, jpeg, webp, webp, png, avif]
const SIDES = [400, 800, 1_200, 1_600]

const files: { readonly bytes: Buffer; readonly sha256: string }[] = []
for (let n = 0; n < 48; n++) {
  const bytes = await drawnPicture(n, SIDES[n % SIDES.length] ?? 800, FORMATS[n % FORMATS.length] ?? jpeg)
  files.push({ bytes, sha256: createHash('sha256').update(bytes).digest('hex') })
}

interface Measured {
  readonly perSecond: number
  readonly loopMaxMs: number
}

/** Works through `count` pictures, `atOnce` at a time. */
async function measure(
  count: number,
  atOnce: number,
  work: (file: (typeof files)[number]) => Promise<void>,
  every: () => void,
): Promise<Measured> {
  const loop = monitorEventLoopDelay({ resolution: 1 })
  let next = 0
  const lane = async () => {
    for (let at = next++; at < count; at = next++) {
      const file = files[at % files.length]
      if (file !== undefined) await work(file)
      if (at % SAMPLE_EVERY === 0) every()
    }
  }
  loop.enable()
  const started = performance.now()
  await Promise.all(Array.from({ length: atOnce }, lane))
  const seconds = (performance.now() - started) / 1000
  loop.disable()
  return { perSecond: Math.round((count / seconds) * 10) / 10, loopMaxMs: Math.round(loop.max / 1e5) / 10 }
}
const SAMPLE_EVERY = Math.max(1, Math.floor(PICTURES / 200))

// Both halves begin warm: sharp is loaded, the code is compiled.
const few = files.length * 2

sharp.cache(false)
sharp.concurrency(1)
const bare = async ({ bytes }: { readonly bytes: Buffer }) => {
  pdqOf(await barePixels(bytes))
}
await measure(few, THREADS, bare, () => undefined)
const bareRun = await measure(Math.min(PICTURES, 1_000), THREADS, bare, () => undefined)

const reader = createPictureReader({
  thread: new URL('../../src/apps/picture-thread.ts', import.meta.url),
  threads: THREADS,
  maxPixels: 50_000_000,
  maxBytes: 16 << 20,
  timeMs: 10_000,
  logger: createTelemetry({ level: 'warn' }).log,
})
const never = new AbortController().signal
const read = async ({ bytes, sha256 }: (typeof files)[number]) => {
  const picture = await reader.read(bytes, sha256, never)
  if (picture.state === 'unseen') throw new Error(picture.message)
}
// Some wait while others are read, as in the gate.
const atOnce = THREADS * 8
await measure(few, atOnce, read, () => undefined)
const resident: number[] = []
const readerRun = await measure(PICTURES, atOnce, read, () => resident.push(process.memoryUsage().rss / 2 ** 20))
await reader.close()

const mean = (values: readonly number[]) =>
  Math.round(values.reduce((sum, v) => sum + v, 0) / Math.max(1, values.length))
const quarter = Math.ceil(resident.length / 4)
const report = {
  bench: 'images',
  pictures: PICTURES,
  threads: THREADS,
  meanKilobytes: mean(files.map(({ bytes }) => bytes.length / 1024)),
  bare: bareRun,
  reader: readerRun,
  residentMegabytes: {
    firstQuarter: mean(resident.slice(0, quarter)),
    lastQuarter: mean(resident.slice(-quarter)),
    most: Math.round(Math.max(...resident)),
  },
}
process.stdout.write(args.json ? `${JSON.stringify(report)}\n` : `${JSON.stringify(report, undefined, 2)}\n`)
