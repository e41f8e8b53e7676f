// The whole image path, from the bytes in a listing to its decision, against the bare work in the same run; and whether memory stays flat.
//
//   node scripts/bench/image-path.ts [--pictures=96] [--rounds=5] [--seconds=5] [--threads=CORES] [--flat=0] [--json]
//
// A listing of the invented marketplace carries one picture inline and goes through `assess` with the gate that ships, its
// text model and banks of 100,000 pictures with their derived forms; every eighth picture is in a counterfeit bank. `bare` decodes, hashes and
// asks the model once for each picture, in as many threads. Both go on in turns, round by round, over the same pictures; four
// more bytes behind the end of each file make it one that was never seen. `--flat=20000` then sends so many more through the
// whole path and says whether memory grows. Screening tries 16 listings at once, and so does this.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { openPictures } from '../../src/apps/pictures.ts'
import { shippedGate } from '../../src/apps/shipped-gate.ts'
import { readConfig } from '../../src/config.ts'
import type { Listing } from '../../src/domain/listing.ts'
import { assess, type Gate } from '../../src/pipeline/assess.ts'
import { accusingIn } from '../../src/pipeline/banks/accusing.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { featuresOfListing } from '../../src/text/features.ts'
import { inventedRows } from '../train-shipped-text.ts'
import { filledEntries, type Kept } from './bank-entries.ts'
import { startBare } from './image-bare.ts'
import { flatness, sampleMemory } from './memory.ts'
import { drawnPicture, ENCODE } from './pictures.ts'

const { values: args } = parseArgs({
  options: {
    pictures: { type: 'string', default: '96' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    threads: { type: 'string', default: String(availableParallelism()) },
    flat: { type: 'string', default: '0' },
    json: { type: 'boolean', default: false },
  },
})
const [PICTURES, ROUNDS, SECONDS] = [Number(args.pictures), Number(args.rounds), Number(args.seconds)]
const [THREADS, FLAT] = [Number(args.threads), Number(args.flat)]
const AT_ONCE = 16
const IN_BANKS = 100_000
const KNOWN_EVERY = 8
/** Enough for the line through the second half; each costs a tenth of a millisecond. */
const SAMPLES = 400

const { jpeg, png, webp } = ENCODE
const FORMATS = [jpeg, webp, jpeg, png, jpeg, webp, jpeg, jpeg]
const say = (line: string): void => void process.stderr.write(`${line}\n`)
const round = (n: number): number => Math.round(n * 100) / 100
const sorted = (values: readonly number[]) => values.toSorted((a, b) => a - b)
const quantile = (values: readonly number[], q: number): number =>
  sorted(values)[Math.min(values.length - 1, Math.floor(q * values.length))] ?? Number.NaN
const median = (values: readonly number[]): number => quantile(values, 0.5)

const pictures: Buffer[] = []
for (let n = 0; n < PICTURES; n++)
  pictures.push(await drawnPicture(n, 800 + ((n * 32) % 256), FORMATS[n % FORMATS.length] ?? jpeg))
const rows = inventedRows()

const config = readConfig({ TOUCHSTONE_IMAGE_THREADS: args.threads })
const telemetry = createTelemetry({ level: 'error' })
const looking = openPictures(config, telemetry, 'inline')
const gate: Gate = {
  ...(await shippedGate({ currencies: undefined, budgetMs: config.TOUCHSTONE_LISTING_BUDGET_MS })),
  pictures: looking.source,
  banks: await filledBanks(),
}

async function filledBanks() {
  const known: Kept[] = []
  for (const bytes of pictures.filter((_, n) => n % KNOWN_EVERY === 0)) {
    const kept = await looking.reader.keep(bytes, sha256Of(bytes))
    if (kept !== undefined) known.push(kept)
  }
  const entries = filledEntries(IN_BANKS, known)
  return { size: entries.size, against: accusingIn(entries), change: 0n, match: entries.match }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

let made = 0
/** A listing that was never seen, with a picture that was never seen. */
function nextListing(): Listing {
  const n = made++
  const { listing } = rows[n % rows.length] ?? {}
  const picture = pictures[n % pictures.length]
  if (listing === undefined || picture === undefined) throw new Error('there is nothing to send')
  const data = Buffer.concat([picture, Buffer.from([n >>> 24, n >>> 16, n >>> 8, n])]).toString('base64')
  return { ...listing, listingId: `bench-${n}`, images: [{ data }] }
}

const now = new Date()
/** Milliseconds until it is decided. @throws where it was decided without having looked. */
async function decideOn(listing: Listing): Promise<number> {
  const began = performance.now()
  const { pictures: seen, risk } = await assess(gate, listing, now)
  const took = performance.now() - began
  const isKnown = (Number(listing.listingId.slice('bench-'.length)) % PICTURES) % KNOWN_EVERY === 0
  const states = new Map(risk.signals.map((signal) => [signal.name, signal.state]))
  if (seen[0]?.state !== 'seen') throw new Error(`a picture was not seen: ${JSON.stringify(seen[0])}`)
  if (states.get('text-model') !== 'scored') throw new Error(`the text model ${states.get('text-model')}`)
  if (isKnown !== (states.get('image-hash') === 'scored')) throw new Error('the banks did not answer as they should')
  return took
}

/** `atOnce` at a time until `next` has no more. */
async function inLanes(
  atOnce: number,
  next: () => Listing | undefined,
  took: (milliseconds: number) => void,
): Promise<void> {
  const lane = async () => {
    for (let listing = next(); listing !== undefined; listing = next()) took(await decideOn(listing))
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}

async function whole(count: number, atOnce = AT_ONCE, loop?: ReturnType<typeof monitorEventLoopDelay>) {
  // Made before the clock runs: to encode them is the sender's work.
  const listings = Array.from({ length: count }, nextListing)
  const waits: number[] = []
  loop?.enable()
  const { seconds, cpuMs } = await timed(() =>
    inLanes(
      atOnce,
      () => listings.pop(),
      (milliseconds) => void waits.push(milliseconds),
    ),
  )
  loop?.disable()
  return { perSecond: count / seconds, cpuMs: cpuMs / count, waits }
}

async function timed(work: () => Promise<void>): Promise<{ seconds: number; cpuMs: number }> {
  const cpu = process.cpuUsage()
  const began = performance.now()
  await work()
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return { seconds, cpuMs: (user + system) / 1000 }
}

const bare = await startBare(THREADS, {
  pictures,
  texts: rows.slice(0, 200).map(({ listing }) => {
    const { ids, values } = featuresOfListing(listing)
    return { ids, values }
  }),
  model: readFileSync(new URL('../../models/text/1/model.onnx', import.meta.url)),
})

// Both begin warm, and a round is as long as was asked for.
await bare.run(PICTURES)
await whole(PICTURES)
const pilot = await timed(() => bare.run(PICTURES))
const count = Math.max(AT_ONCE, Math.round((PICTURES / pilot.seconds) * SECONDS))

const rounds: { bare: number; bareCpuMs: number; whole: Awaited<ReturnType<typeof whole>> }[] = []
for (let n = 1; n <= ROUNDS; n++) {
  const { seconds, cpuMs } = await timed(() => bare.run(count))
  const run = await whole(count)
  rounds.push({ bare: count / seconds, bareCpuMs: cpuMs / count, whole: run })
  say(`round ${n}: bare ${round(count / seconds)}/s, whole ${round(run.perSecond)}/s`)
}
await bare.close()
// A round of its own: to look at the loop every millisecond takes some of the time that is measured.
const loop = monitorEventLoopDelay({ resolution: 1 })
await whole(count, AT_ONCE, loop)
const alone = await whole(Math.max(AT_ONCE, Math.round(count / 5)), 1)

async function flat(total: number) {
  const samples = [sampleMemory(0)]
  const last = made + total
  const every = Math.max(1, Math.floor(total / SAMPLES))
  let done = 0
  await inLanes(
    AT_ONCE,
    () => (made < last ? nextListing() : undefined),
    () => {
      if (++done % every === 0) samples.push(sampleMemory(done))
    },
  )
  return { pictures: total, ...flatness(samples) }
}

const waits = rounds.flatMap((one) => one.whole.waits)
const report = {
  bench: 'image-path',
  threads: THREADS,
  cores: availableParallelism(),
  picturesARound: count,
  rounds: ROUNDS,
  meanKilobytes: Math.round(pictures.reduce((sum, bytes) => sum + bytes.length, 0) / PICTURES / 1024),
  inBanks: gate.banks?.size,
  bare: {
    perSecond: round(median(rounds.map((one) => one.bare))),
    cpuMs: round(median(rounds.map((one) => one.bareCpuMs))),
  },
  whole: {
    perSecond: round(median(rounds.map((one) => one.whole.perSecond))),
    cpuMs: round(median(rounds.map((one) => one.whole.cpuMs))),
    listingMs: { atOnce: AT_ONCE, p50: round(median(waits)), p99: round(quantile(waits, 0.99)) },
    aloneMs: { p50: round(median(alone.waits)), p99: round(quantile(alone.waits, 0.99)) },
    loopP99Ms: round(loop.percentile(99) / 1e6),
    loopMaxMs: round(loop.max / 1e6),
  },
  /** Of each round, so that what the machine does besides weighs on both. */
  wholeToBare: round(median(rounds.map((one) => one.whole.perSecond / one.bare))),
  ...(FLAT > 0 ? { flat: await flat(FLAT) } : {}),
}
await looking.close()
process.stdout.write(args.json ? `${JSON.stringify(report)}\n` : `${JSON.stringify(report, undefined, 2)}\n`)
