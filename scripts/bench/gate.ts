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
import { createTelemetry } from '../../src/telemetry.ts'
import { makeListing } from './listings.ts'

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
  const records = Array.from({ length: LISTINGS }, (_, i) => makeListing(`B-${i}`))
  const bytes = records.reduce((sum, r) => sum + r.value.byteLength, 0)
  const textLength = records.reduce((sum, r) => sum + r.textLength, 0)
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
      appends.push(gate.log.append(gate.topics.listings, [makeListing(id)]))
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
