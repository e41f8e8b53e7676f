// Listings through the text model: features alone, the model in threads alone, both together, and how long the event loop stood still.
//
//   node scripts/bench/text.ts [--seconds 2] [--json]
//
// The listings are those of fixtures/marketplace, the model is the one that ships. `atOnce` is how many are asked at a time,
// as the gate does it: it tries 16 listings of a batch at once.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { openTextModels } from '../../src/apps/text-models.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { featuresOfListing } from '../../src/text/features.ts'
import { inventedRows } from '../train-shipped-text.ts'

const { values: args } = parseArgs({
  options: { seconds: { type: 'string', default: '2' }, json: { type: 'boolean', default: false } },
})
const FOR_MS = Number(args.seconds) * 1000
const listings = inventedRows().map((row) => row.listing)
const features = listings.map(featuresOfListing)
const logger = createTelemetry({ level: 'error' }).log
const round = (n: number): number => Math.round(n * 100) / 100

/** Runs `work` over and over until the time is up; `atOnce` of them at a time. */
async function measure(atOnce: number, work: (i: number) => unknown) {
  const loop = monitorEventLoopDelay({ resolution: 1 })
  let done = 0
  const lane = async (until: number) => {
    while (performance.now() < until) {
      await work(done % listings.length)
      done += 1
    }
  }
  await Promise.all(Array.from({ length: atOnce }, () => lane(performance.now() + FOR_MS / 4)))
  done = 0
  loop.enable()
  const started = performance.now()
  await Promise.all(Array.from({ length: atOnce }, () => lane(started + FOR_MS)))
  const perSecond = Math.round((done / (performance.now() - started)) * 1000)
  loop.disable()
  return { perSecond, loopP99Ms: round(loop.percentile(99) / 1e6), loopMaxMs: round(loop.max / 1e6) }
}

const report: Record<string, unknown>[] = []
const turn = () => new Promise((resolve) => setImmediate(resolve))
report.push({
  what: 'features',
  threads: 0,
  atOnce: 1,
  ...(await measure(1, async (i) => {
    const listing = listings[i]
    if (listing !== undefined) featuresOfListing(listing)
    // Otherwise the loop never turns, and its delay is that of this bench.
    if (i % 16 === 0) await turn()
  })),
})
for (const threads of [1, 2]) {
  const text = await openTextModels({ threads, logger })
  for (const atOnce of [1, 16, 256]) {
    const ask = (i: number) => text.shipped.score(features[i] ?? featuresOfListing({ title: '-' }))
    report.push({ what: 'model', threads, atOnce, ...(await measure(atOnce, ask)) })
  }
  const both = (i: number) => text.shipped.score(featuresOfListing(listings[i] ?? { title: '-' }))
  report.push({ what: 'features and model', threads, atOnce: 16, ...(await measure(16, both)) })
  await text.close()
}
if (args.json) process.stdout.write(`${JSON.stringify({ bench: 'text', listings: listings.length, runs: report })}\n`)
else console.table(report)
