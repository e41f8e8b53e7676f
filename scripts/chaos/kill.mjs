// Kills the whole gate with SIGKILL in the middle of a load, again and again, and counts what became of every record.
// It shares no code with the product: it speaks HTTP, and reads the decisions topic with SQL of its own.
//
//   node scripts/chaos/kill.mjs [--listings 10000] [--kills 3] [--seed 1] [--json]
//
// Exit code 1 when anything was lost, doubled or out of order.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'

const { values: args } = parseArgs({
  options: {
    listings: { type: 'string', default: '10000' },
    kills: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const LISTINGS = Number(args.listings)
const KILLS = Number(args.kills)
const CHUNK = 250
const say = (text) => process.stderr.write(`${text}\n`)

// Mulberry32: a run can be repeated from its seed.
let state = Number(args.seed) >>> 0
const random = () => {
  state = (state + 0x6d2b79f5) >>> 0
  let t = state
  t = Math.imul(t ^ (t >>> 15), t | 1)
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}
const pick = (list) => list[Math.floor(random() * list.length)]

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

const dataDir = mkdtempSync(join(tmpdir(), 'touchstone-kill-'))
const port = await freePort()
const env = {
  ...process.env,
  TOUCHSTONE_DATA_DIR: dataDir,
  PORT: String(port),
  METRICS_PORT: String(await freePort()),
  LOG_LEVEL: 'error',
}
delete env.DATABASE_URL
const base = `http://127.0.0.1:${port}`
let child
const bin = new URL('../touchstone.mjs', import.meta.url).pathname

async function start() {
  child = spawn(process.execPath, [bin, 'start'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const mine = child
  mine.stderr.on('data', (text) => process.env.VERBOSE && process.stderr.write(text))
  const until = Date.now() + 60_000
  while (Date.now() < until) {
    if (mine.exitCode !== null) throw new Error(`the gate ended with code ${mine.exitCode}`)
    const ready = await fetch(`${base}/readyz`).catch(() => undefined)
    if (ready?.status === 200) return
    await new Promise((r) => setTimeout(r, 50))
  }
  throw new Error('the gate was not ready within 60 s')
}
/** The results where the answer is whole; an answer that was cut off or ended early says nothing of the rest. */
function wholeAnswer(answer, lines) {
  if (answer?.status !== 200 || !answer.text.endsWith('\n')) return undefined
  const results = answer.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  return results.length === lines && results.every((result) => result.line !== undefined) ? results : undefined
}
const gone = (process_) =>
  process_.exitCode !== null || process_.signalCode !== null
    ? Promise.resolve()
    : new Promise((r) => process_.once('exit', r))

function run(...words) {
  return new Promise((resolve, reject) => {
    const one = spawn(process.execPath, [bin, ...words], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    one.stdout.on('data', (text) => (out += text))
    one.once('exit', (code) => (code === 0 ? resolve(out) : reject(new Error(`${words.join(' ')} ended with ${code}`))))
  })
}

// ---- what goes in: new listings, edits, and the same again
const made = []
for (let i = 0; i < LISTINGS; i += 1) {
  const kind = random()
  const earlier = made.length > 0 ? made[Math.floor(random() * made.length)] : undefined
  if (earlier !== undefined && kind < 0.05) made.push(earlier)
  else if (earlier !== undefined && kind < 0.12) {
    made.push({
      ...earlier,
      revision: Math.max(...made.filter((m) => m.listingId === earlier.listingId).map((m) => m.revision)) + 1,
    })
  } else {
    made.push({
      listingId: `K-${args.seed}-${i}`,
      revision: 1,
      sellerId: `S-${i % 97}`,
      title: `${pick(['Rolex', 'Nike', 'Old', 'Gucci', 'Hand-made', 'Canon'])} ${pick(['watch', 'shoes', 'bag', 'chair', 'camera'])} ${pick(['AAA replica', 'as new', 'size 42', 'with box', 'vintage'])} ${i}`,
      price: { amount: Math.round(random() * 50_000) / 100, currency: 'USD' },
    })
  }
}

let failed = 0
const complain = (text) => {
  failed += 1
  if (failed <= 20) say(`WRONG: ${text}`)
}
try {
  await start()
  const { key } = JSON.parse(await run('keys', 'create', '--role', 'ingest', '--json'))
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' }

  // ---- load, and kills at seeded places in it
  const killAt = new Set(Array.from({ length: KILLS }, () => Math.floor(random() * (made.length / CHUNK))))
  let resent = 0
  let kills = 0
  const began = performance.now()
  for (let at = 0, chunk = 0; at < made.length; at += CHUNK, chunk += 1) {
    const some = made.slice(at, at + CHUNK)
    const body = some.map((m) => JSON.stringify(m)).join('\n')
    if (killAt.has(chunk)) {
      const victim = child
      setTimeout(() => victim.kill('SIGKILL'), Math.floor(random() * 40))
      kills += 1
    }
    for (;;) {
      const answer = await fetch(`${base}/v1/listings`, { method: 'POST', headers, body })
        .then(async (r) => ({ status: r.status, text: await r.text() }))
        .catch(() => undefined)
      const results = wholeAnswer(answer, some.length)
      if (results !== undefined) {
        for (const result of results) if (result.status !== 202) complain(`not taken: ${JSON.stringify(result)}`)
        break
      }
      if (answer !== undefined && answer.status !== 200 && answer.status < 500)
        throw new Error(`unexpected answer ${answer.status}: ${answer.text.slice(0, 200)}`)
      resent += 1
      // Whether the gate is gone or only failed this once shows within a moment.
      const ended = await Promise.race([gone(child).then(() => true), new Promise((r) => setTimeout(r, 1_000))])
      if (ended) await start()
    }
  }
  if (child.signalCode !== null || child.exitCode !== null) await start()
  say(`${made.length} records sent, ${kills} kills, ${resent} chunks sent again`)

  // ---- wait until the feed says nothing new for a while
  const decisions = []
  const refusals = []
  let after
  for (let quiet = 0; quiet < 3;) {
    const query = new URLSearchParams({ limit: '500', wait: '1', ...(after === undefined ? {} : { after }) })
    const answer = await fetch(`${base}/v1/decisions?${query}`, { headers }).catch(() => undefined)
    if (answer === undefined) {
      // A kill that was due late.
      await gone(child)
      await start()
      continue
    }
    if (answer.status !== 200) throw new Error(`the feed answered ${answer.status}: ${await answer.text()}`)
    const page = await answer.json()
    after = page.next
    for (const item of page.items) (item.type.includes('decided') ? decisions : refusals).push(item.data)
    quiet = page.items.length === 0 ? quiet + 1 : 0
  }
  const seconds = (performance.now() - began) / 1000

  // ---- count
  const wanted = new Map()
  for (const m of made) wanted.set(`${m.listingId} ${m.revision}`, m)
  const screened = new Map()
  const ids = new Set()
  const sequence = new Map()
  for (const d of decisions) {
    if (ids.has(d.decisionId)) complain(`decision ${d.decisionId} twice in the feed`)
    ids.add(d.decisionId)
    const before = sequence.get(d.listingId) ?? 0
    if (d.sequence !== before + 1) complain(`${d.listingId}: sequence ${d.sequence} after ${before}`)
    sequence.set(d.listingId, d.sequence)
    if (d.stage !== 'screening') continue
    const name = `${d.listingId} ${d.revision}`
    if (screened.has(name)) complain(`${name} was screened twice`)
    screened.set(name, d)
  }
  const refused = new Set(refusals.map((r) => `${r.listingId} ${r.revision}`))
  for (const name of wanted.keys()) if (!screened.has(name) && !refused.has(name)) complain(`${name} has no end`)
  for (const name of screened.keys()) if (!wanted.has(name)) complain(`${name} was never sent`)

  // ---- the decisions topic must say the same as the feed
  const database = JSON.parse(readFileSync(join(dataDir, 'postgres.json'), 'utf8'))
  const home = database.home.startsWith('/') ? database.home : join(dataDir, database.home)
  const databasePort = readFileSync(join(home, 'pgdata', 'postmaster.pid'), 'utf8').split('\n')[3]
  const client = new pg.Client({
    host: '127.0.0.1',
    port: Number(databasePort),
    user: 'touchstone',
    password: database.password,
    database: 'touchstone',
  })
  await client.connect()
  const { rows } = await client.query(
    `select r.partition, r.record_offset, convert_from(r.value, 'UTF8') as value
     from touchstone_log.record r join touchstone_log.topic t using (topic_id)
     where t.name = 'touchstone.decisions.v1' order by 1, 2`,
  )
  const inputs = await client.query(
    `select count(*)::int as n from touchstone_log.record r join touchstone_log.topic t using (topic_id) where t.name = 'touchstone.listings.v1'`,
  )
  await client.end()
  const published = new Map()
  const order = new Map()
  for (const row of rows) {
    const event = JSON.parse(row.value)
    if (event.decisionId === undefined) continue
    if (published.has(event.decisionId)) complain(`decision ${event.decisionId} twice in the topic`)
    published.set(event.decisionId, event)
    if (event.sequence <= (order.get(event.listingId) ?? 0))
      complain(`${event.listingId}: sequence ${event.sequence} out of order in the topic`)
    order.set(event.listingId, event.sequence)
  }
  for (const id of ids) if (!published.has(id)) complain(`decision ${id} is in the feed and not in the topic`)
  for (const id of published.keys()) if (!ids.has(id)) complain(`decision ${id} is in the topic and not in the feed`)

  const result = {
    sent: made.length,
    inputRecords: inputs.rows[0].n,
    distinct: wanted.size,
    screened: screened.size,
    refused: refused.size,
    decisions: decisions.length,
    published: published.size,
    kills,
    resent,
    seconds: Math.round(seconds * 10) / 10,
    wrong: failed,
  }
  process.stdout.write(
    args.json
      ? `${JSON.stringify(result)}\n`
      : `${Object.entries(result)
          .map(([k, v]) => `${k} ${v}`)
          .join(', ')}\n`,
  )
} finally {
  child?.kill('SIGTERM')
  if (child !== undefined) await gone(child)
  rmSync(dataDir, { recursive: true, force: true })
}
process.exitCode = failed === 0 ? 0 : 1
