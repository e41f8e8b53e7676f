// Listings through the whole gate of one process: rate, time from submitted to decided, memory. Production settings.
//
//   node scripts/bench/gate.ts [--listings 10000] [--rate 500] [--seconds 20] [--json]
//
// Two runs on a fresh embedded PostgreSQL (fsync on): a backlog that is appended as fast as the log takes it, and a steady
// rate. A listing is submitted when its append is called, and decided when its decision is read from the feed.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startGate } from '../../src/apps/gate.ts'
import { readConfig } from '../../src/config.ts'
import { listingSubmitted } from '../../src/events/index.ts'
import { encodeEvent } from '../../src/events/wire.ts'
import type { NewRecord } from '../../src/pipeline/ports.ts'
import { createTelemetry } from '../../src/telemetry.ts'

const { values: args } = parseArgs({
  options: {
    listings: { type: 'string', default: '10000' },
    rate: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
  },
})
const LISTINGS = Number(args.listings)
const RATE = Number(args.rate)
const SECONDS = Number(args.seconds)

// Linear congruential (Numerical Recipes): the same listings in every run.
let seed = 1
const pick = <T>(list: readonly T[]): T => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return list[seed % list.length] as T
}
const BRANDS = [
  'Nike',
  'Rolex',
  'Gucci',
  'Canon',
  'Sony',
  'Chanel',
  'Levi’s',
  'IKEA',
  'unbranded',
  'Zara',
  'L*V',
  'Adidas',
] as const
const GOODS = [
  'running shoes',
  'automatic watch',
  'shoulder bag',
  'camera lens',
  'wireless headphones',
  'denim jacket',
  'silk scarf',
] as const
const NOTES = [
  'as new',
  'worn twice',
  'with original box',
  'size 42',
  'vintage',
  'limited edition',
  'mirror quality',
  'from a smoke-free home',
] as const
const SENTENCES = [
  'Bought last year and hardly used since.',
  'Please look at the pictures, they are part of the description.',
  'Shipping within two working days, tracked.',
  'Measurements lying flat: 54 cm across, 71 cm long.',
  'No returns unless the article differs from its description.',
] as const

let textLength = 0
function record(id: string): NewRecord {
  const title = `${pick(BRANDS)} ${pick(GOODS)} ${pick(NOTES)} ${pick(NOTES)}`
  const description = Array.from({ length: 6 }, () => pick(SENTENCES)).join(' ')
  textLength += title.length + description.length
  const listing = {
    listingId: id,
    revision: 1,
    sellerId: `S-${seed % 997}`,
    title,
    description,
    condition: pick(['new', 'used'] as const),
    price: { amount: 10 + (seed % 2_000), currency: 'USD' },
  }
  return {
    key: Buffer.from(id),
    ...encodeEvent(listingSubmitted, listing, { id, source: 'urn:bench', time: new Date().toISOString(), subject: id }),
  }
}

const dataDir = mkdtempSync(join(tmpdir(), 'touchstone-bench-'))
const config = readConfig({ TOUCHSTONE_DATA_DIR: dataDir })
const gate = await startGate(config, createTelemetry({ level: 'error' }), () => undefined)
let peak = 0
const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 100)

const submitted = new Map<string, number>()
const waits: number[] = []
let seen = 0
let reading = true
const follow = (async () => {
  let after: string | undefined
  while (reading) {
    const { entries, next } = await gate.reader.feed(after, 1_000, undefined)
    after = next
    const now = performance.now()
    for (const entry of entries) {
      const { listingId } = entry.data as { listingId: string }
      waits.push(now - (submitted.get(listingId) ?? now))
      seen += 1
    }
    if (entries.length === 0) await sleep(5)
  }
})()
const until = async (count: number) => {
  while (seen < count) await sleep(10)
}
const quantile = (list: readonly number[], q: number) =>
  [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(q * list.length))] ?? 0
const round = (n: number) => Math.round(n * 10) / 10

async function backlog() {
  const records = Array.from({ length: LISTINGS }, (_, i) => record(`B-${i}`))
  const bytes = records.reduce((sum, r) => sum + (r.value?.byteLength ?? 0), 0)
  const cpu = process.cpuUsage()
  const began = performance.now()
  for (let at = 0; at < records.length; at += 500) {
    const some = records.slice(at, at + 500)
    some.forEach((_, i) => submitted.set(`B-${at + i}`, performance.now()))
    await gate.log.append(gate.topics.listings, some)
  }
  const appended = performance.now()
  await until(LISTINGS)
  const seconds = (performance.now() - began) / 1000
  const used = process.cpuUsage(cpu)
  return {
    listings: LISTINGS,
    perSecond: round(LISTINGS / seconds),
    appendSeconds: round((appended - began) / 1000),
    p50Ms: round(quantile(waits, 0.5)),
    p99Ms: round(quantile(waits, 0.99)),
    meanTextCharacters: Math.round(textLength / LISTINGS),
    meanRecordBytes: Math.round(bytes / LISTINGS),
    nodeCpuMicrosecondsEach: Math.round((used.user + used.system) / LISTINGS),
  }
}

async function steady() {
  waits.length = 0
  seen = 0
  const total = RATE * SECONDS
  const began = performance.now()
  const appends: Promise<unknown>[] = []
  for (let i = 0; i < total;) {
    const due = Math.min(total, Math.floor(((performance.now() - began) / 1000) * RATE) + 1)
    for (; i < due; i += 1) {
      const id = `R-${i}`
      submitted.set(id, performance.now())
      appends.push(gate.log.append(gate.topics.listings, [record(id)]))
    }
    await sleep(2)
  }
  await Promise.all(appends)
  const appendedSeconds = (performance.now() - began) / 1000
  await until(total)
  return {
    rate: RATE,
    reached: round(total / appendedSeconds),
    seconds: SECONDS,
    p50Ms: round(quantile(waits, 0.5)),
    p99Ms: round(quantile(waits, 0.99)),
    maxMs: round(Math.max(...waits)),
  }
}

const result = {
  backlog: await backlog(),
  steady: await steady(),
  peakRssMiB: 0,
  node: process.version,
  cpu: readFileSync('/proc/cpuinfo', 'utf8').match(/model name\s*: (.*)/)?.[1],
}
result.peakRssMiB = Math.round(peak / 2 ** 20)
reading = false
await follow
clearInterval(watch)
await gate.stop()
rmSync(dataDir, { recursive: true, force: true })
process.stdout.write(args.json ? `${JSON.stringify(result)}\n` : `${JSON.stringify(result, null, 2)}\n`)
