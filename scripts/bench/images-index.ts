// Measures the index of picture hashes on one thread: look-ups at 10 k, 1 M and 10 M, on even and on skewed hashes, beside comparing all.
import { fillHashIndex, type HashIndex } from '../../src/imaging/hash-index.ts'
import { BLOCK, createKernel } from '../../src/imaging/hash-kernel.ts'
import { fillRandom, flip, random } from './hashes.ts'
import { times, type Times } from './times.ts'

const DISTANCE = 31
const SIZES = [10_000, 1_000_000, 10_000_000]
const json = process.argv.includes('--json')
/** For a short look: `--size=1000000`, `--kind=even`. */
const option = (name: string) => process.argv.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3)
const asked = option('size')
const say = (line: string): void => void process.stderr.write(`${line}\n`)

const centres = Array.from({ length: 1_000 }, () => fillRandom(new Uint8Array(32)))
const one = new Uint8Array(32)
const picture = new Uint8Array(32)
let forms = 0
/** Drawn when they are needed: the other kinds are what they were before. */
let originals: Uint8Array[] | undefined

/** Fills `hash` and returns it. */
const KINDS: Readonly<Record<string, (hash: Uint8Array) => Uint8Array>> = {
  even: fillRandom,
  /** A thousand motifs with 30 to 90 bits changed, the frequent ones very frequent. */
  motifs: (hash) => {
    hash.set(centres[Math.floor(1_000 ** (random() / 2 ** 32)) - 1] ?? hash)
    return flip(hash, 30 + (random() % 60))
  },
  /** Every second one has the same 64 bits at the front, and in four more pieces one of eight values: crowded tables. */
  crowded: (hash) => {
    fillRandom(hash)
    if ((random() & 1) === 0) hash.fill(0x5a, 0, 8)
    for (let at = 16; at < 24; at += 2) {
      hash[at] = 0
      hash[at + 1] = (hash[at + 1] ?? 0) & 7
    }
    return hash
  },
  /** All are one picture with 40 to 100 bits changed: no table and no half of a hash tells them apart. */
  'one crowd': (hash) => {
    hash.set(centres[0] ?? hash)
    return flip(hash, 50 + (random() % 70))
  },
  /** Each picture and what is derived of it, 10 to 30 bits apart. */
  'derived forms': (hash) => {
    if (forms-- === 0) {
      fillRandom(picture)
      forms = 2
    }
    hash.set(picture)
    return flip(hash, 5 + (random() % 11))
  },
  /** Of a hundred thousand pictures up to 40 bits away, the frequent ones very frequent: thousands match the same question. */
  'near copies': (hash) => {
    originals ??= Array.from({ length: 100_000 }, () => fillRandom(new Uint8Array(32)))
    hash.set(originals[Math.floor(originals.length ** (random() / 2 ** 32)) - 1] ?? hash)
    return flip(hash, random() % 40)
  },
  /** Two pictures instead of one. */
  'two crowds': (hash) => {
    hash.set(centres[random() >>> 31] ?? hash)
    return flip(hash, 40 + (random() % 60))
  },
}

/** Of the processor; Linux counts it in steps of 4 ms where it is asked so. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

/** The limit: 32 bytes of each hash read in their order and compared, nothing else. */
function bareScan(size: number): Times {
  const kernel = createKernel()
  const blocks = Math.ceil(size / BLOCK)
  kernel.grow(blocks)
  const words = new Uint32Array(kernel.bytes().buffer)
  for (let at = 16_384; at < words.length; at++) words[at] = random()
  return times(() => {
    kernel.setQuery(fillRandom(one))
    for (let block = 0; block < blocks; block++) kernel.compare(block, Math.min(BLOCK, size - block * BLOCK), DISTANCE)
  })
}

/** As at a cold start, without the time that drawing takes. */
function filled(size: number, draw: (hash: Uint8Array) => Uint8Array): { index: HashIndex; ms: number } {
  const filling = fillHashIndex()
  const some = Array.from({ length: 4_096 }, () => new Uint8Array(32))
  let ms = 0
  for (let id = 0; id < size; id += some.length) {
    const hashes = some.slice(0, size - id)
    for (const hash of hashes) draw(hash)
    const from = performance.now()
    for (const [at, hash] of hashes.entries()) filling.put(id + at, hash)
    ms += performance.now() - from
  }
  const from = performance.now()
  const steps = filling.ready()
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return { index: step.value, ms: ms + performance.now() - from }
}

function measure(size: number, kind: string, draw: (hash: Uint8Array) => Uint8Array) {
  // Tables are due again when a sixteenth is not in them: an eighth, one by one, sees them made anew at full size.
  const first = Math.ceil(size * (7 / 8))
  const { index, ms } = filled(first, draw)
  const slowest = { wall: 0, cpu: 0 }
  const from = performance.now()
  for (let id = first; id < size; id++) {
    draw(one)
    const [before, used] = [performance.now(), cpuMs()]
    index.add(id, one)
    slowest.cpu = Math.max(slowest.cpu, cpuMs() - used)
    slowest.wall = Math.max(slowest.wall, performance.now() - before)
  }
  const added = performance.now() - from
  const looked = times(() => void index.within(flip(draw(one), 6), DISTANCE, 100))
  const ends = {
    added: Math.round((size - first) / (added / 1_000)),
    slowestAddMs: { wall: Number(slowest.wall.toFixed(2)), cpu: Number(slowest.cpu.toFixed(2)) },
    bytesPerHash: Math.round(index.bytes / size),
  }
  return {
    hashes: size,
    kind,
    lookUpMs: looked,
    addedPerSecond: ends.added,
    slowestAddMs: ends.slowestAddMs,
    bytesPerHash: ends.bytesPerHash,
    coldStart: { hashes: first, ms: Math.round(ms) },
  }
}

const rows = []
const scans = []
for (const size of asked === undefined ? SIZES : [Number(asked)]) {
  const bare = bareScan(size)
  scans.push({ hashes: size, ms: bare })
  say(`${size} hashes, compared one after the other: ${bare.p50} ms, p99 ${bare.p99} ms, processor ${bare.cpu} ms`)
  for (const [kind, draw] of Object.entries(KINDS).filter(([kind]) => kind === (option('kind') ?? kind))) {
    const row = measure(size, kind, draw)
    rows.push(row)
    say(
      `${size} ${kind}: p50 ${row.lookUpMs.p50} ms, p99 ${row.lookUpMs.p99} ms, processor ${row.lookUpMs.cpu} ms; ${row.addedPerSecond} adds/s (slowest ${row.slowestAddMs.wall} ms, processor ${row.slowestAddMs.cpu} ms), ${row.bytesPerHash} bytes each; cold start of ${row.coldStart.hashes} in ${row.coldStart.ms} ms`,
    )
  }
}
const report = { bench: 'images-index', distance: DISTANCE, compared: scans, index: rows }
process.stdout.write(`${json ? JSON.stringify(report) : JSON.stringify(report, null, 2)}\n`)
