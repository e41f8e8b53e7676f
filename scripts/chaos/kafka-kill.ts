// Three gate workers on Kafka under a full load, `kill -9` of one and of a publisher in the middle, then every record is counted.
//
//   node scripts/chaos/kafka-kill.ts [--listings 100000] [--workers 3] [--partitions 12] [--rate N] [--kafka 4.1.2|3.9.2]
//     [--nodes 1|3] [--calm] [--seed 1] [--json]
//   node scripts/chaos/kafka-kill.ts --self-test
//
// A black box on real processes: it writes listings with a client of its own, reads the topics with the Java client, works
// out anew what each record deserves, and looks into the tables with SQL. Exit code 1 when anything was lost, doubled, out
// of order or at odds. The self-test gives the count worlds with one thing wrong each: it must find every one of them.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { KafkaVersion } from '../../test/support/kafka/broker.ts'
import { consumeWithJava } from '../../test/support/kafka/java.ts'
import { openStage, say, stopInOrder, type Stage, type StageProcess } from '../kafka-stage.ts'
import { count } from './kafka-count.ts'
import { DAMAGES, WHOLE } from './kafka-damage.ts'
import { makeLoad, sendLoad } from './kafka-load.ts'
import { watchStore, type Watch } from './kafka-watch.ts'

const { values: args } = parseArgs({
  options: {
    listings: { type: 'string', default: '100000' },
    workers: { type: 'string', default: '3' },
    partitions: { type: 'string', default: '12' },
    rate: { type: 'string' },
    kafka: { type: 'string', default: '4.1.2' },
    nodes: { type: 'string', default: '1' },
    calm: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    'self-test': { type: 'boolean', default: false },
  },
})
const LISTINGS = Number(args.listings)
const WORKERS = Number(args.workers)
const PARTITIONS = Number(args.partitions)
const TOPICS = {
  listings: 'touchstone.listings.v1',
  decisions: 'touchstone.decisions.v1',
  deadLetters: 'touchstone.dead-letters.v1',
}
/** A session's timeout and a lease, twice over: what stands still for longer does not go on by itself. */
const STUCK_MS = 60_000
const seconds = (ms: number): number => Math.round(ms / 100) / 10

if (args['self-test']) selfTest()
else await run()

function selfTest(): void {
  const clean = count(WHOLE)
  const missed = DAMAGES.filter(({ found, world }) => count(world)[found] === 0)
  for (const { name, found } of missed) say(`NOT FOUND: ${name} (${found})`)
  for (const text of clean.wrong) say(`FOUND WHERE NOTHING IS WRONG: ${text}`)
  const result = { damages: DAMAGES.length, found: DAMAGES.length - missed.length, falseAlarms: clean.wrong.length }
  process.stdout.write(`${JSON.stringify(result)}\n`)
  process.exitCode = missed.length === 0 && clean.wrong.length === 0 ? 0 : 1
}

async function run(): Promise<void> {
  const stage = await openStage({ version: args.kafka as KafkaVersion, nodes: args.nodes === '3' ? 3 : 1 })
  const fleet = new Map<number, StageProcess>()
  let watch: Watch | undefined
  try {
    const url = await stage.database()
    const enlist = async (): Promise<void> => {
      const worker = await stage.start(['worker'], { DATABASE_URL: url, TOUCHSTONE_PARTITIONS: String(PARTITIONS) })
      fleet.set(worker.pid, worker)
      void worker.gone.then((code) => {
        if (fleet.delete(worker.pid)) say(`WORKER ${worker.pid} ENDED BY ITSELF (${code}):\n${worker.lastWords()}`)
      })
    }
    // One after the other: the first makes topics and tables.
    for (let i = 0; i < WORKERS; i += 1) await enlist()
    watch = await watchStore(url, TOPICS)
    say(`${WORKERS} workers on ${PARTITIONS} partitions, ${stage.brokers.length} brokers ${stage.kafkaVersion}`)

    const began = Date.now()
    const producer = stage.kafka.producer({ maxInFlightRequests: 1 })
    await producer.connect()
    let sent = 0
    const rate = args.rate === undefined ? undefined : Number(args.rate)
    const load = [...makeLoad(LISTINGS, PARTITIONS, Number(args.seed))]
    const { read, waiting } = watch
    const progress = setInterval(() => say(`${sent} sent, ${read()} read, ${waiting()} wait to be published`), 5_000)

    // Half of the load for each kill, however fast this machine is: what the dead one held must have much to do until
    // others go on with it.
    const kills: Record<string, unknown>[] = []
    const acknowledged: number[] = []
    for (const [i, what] of (['worker', 'publisher'] as const).entries()) {
      const half = load.slice((i * LISTINGS) / 2, ((i + 1) * LISTINGS) / 2)
      const before = { sent, read: read() }
      const sending = sendLoad(producer, TOPICS.listings, half, rate, (number) => (sent = before.sent + number))
      if (!args.calm) {
        const share = before.read + Math.floor(half.length / 4)
        await until(`${share} records are read`, watch, () => read() >= share)
        kills.push(await killOne(what, fleet, watch, stage))
        await enlist()
      }
      acknowledged.push(...(await sending))
    }
    const sentSeconds = seconds(Date.now() - began)
    await producer.disconnect()
    const ends = await endsOf(stage)
    const total = [...ends.values()].reduce((sum, end) => sum + end, 0)
    await until('everything is read and published', watch, () => read() >= total && waiting() === 0)
    const allSeconds = (Date.now() - began) / 1_000
    clearInterval(progress)

    const codes = await Promise.all(
      [...fleet].map(async ([pid, worker]) => {
        fleet.delete(pid)
        const code = await stopInOrder(worker)
        if (code !== 0) say(`WORKER ${pid} DID NOT STOP IN ORDER (${code}):\n${worker.lastWords()}`)
        return code
      }),
    )
    say('counting ...')
    const tables = await watch.tables(ends)
    const read_ = (topic: string) => consumeWithJava({ brokers: stage.brokers, topic, isolation: 'read_committed' })
    const counted = count({
      listings: await read_(TOPICS.listings),
      decisions: await read_(TOPICS.decisions),
      deadLetters: await read_(TOPICS.deadLetters),
      acknowledged,
      tables,
    })
    for (const text of counted.wrong) say(`WRONG: ${text}`)
    const { lost, doubled, outOfOrder, disagreeing } = counted
    const clean = lost + doubled + outOfOrder + disagreeing === 0 && codes.every((code) => code === 0)
    const result = {
      kafka: stage.kafkaVersion,
      brokers: stage.brokers.length,
      workers: WORKERS,
      partitions: PARTITIONS,
      seed: Number(args.seed),
      rate: rate ?? 'full speed',
      sent: LISTINGS,
      acknowledged: acknowledged.length,
      sentSeconds,
      seconds: Math.round(allSeconds * 10) / 10,
      perSecond: Math.round(total / allSeconds),
      kills,
      exitCodes: codes,
      ...counted,
    }
    process.stdout.write(args.json ? `${JSON.stringify(result)}\n` : `${JSON.stringify(result, null, 2)}\n`)
    process.exitCode = clean ? 0 : 1
  } finally {
    await watch?.stop()
    await stage.stop()
  }
}

/** Ends of the listings topic by partition. */
async function endsOf(stage: Stage): Promise<Map<number, number>> {
  const admin = stage.kafka.admin()
  await admin.connect()
  const offsets = await admin.fetchTopicOffsets(TOPICS.listings)
  await admin.disconnect()
  return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]))
}

/** Waits as long as something moves. */
async function until(what: string, watch: Watch, done: () => boolean): Promise<void> {
  let before = ''
  for (let since = Date.now(); !done();) {
    const now = `${watch.read()} ${watch.waiting()}`
    if (now !== before) since = Date.now()
    before = now
    if (Date.now() - since > STUCK_MS)
      throw new Error(`stuck: ${watch.read()} read, ${watch.waiting()} wait to be published; waited until ${what}`)
    await sleep(20)
  }
}

/**
 * Kills the worker that publishes least, or the process that publishes most, and waits until everything goes on: what the
 * dead one held must be taken over by the others, so it is replaced only afterwards.
 */
async function killOne(
  what: 'worker' | 'publisher',
  fleet: Map<number, StageProcess>,
  watch: Watch,
  stage: Stage,
): Promise<Record<string, unknown>> {
  const publishers = await watch.publishers()
  const held = (pid: number): number => publishers.get(pid)?.length ?? 0
  const byHeld = [...fleet.keys()].sort((a, b) => held(a) - held(b))
  const pid = (what === 'worker' ? byHeld[0] : byHeld.at(-1)) ?? -1
  const victim = fleet.get(pid)
  if (victim === undefined) throw new Error('there is no worker to kill')
  if (what === 'publisher' && held(pid) === 0) throw new Error('no worker of ours publishes')
  fleet.delete(pid)
  const moment = Date.now()
  victim.kill('SIGKILL')
  say(`kill -9 of ${pid} (${what}), which publishes ${publishers.get(pid)?.join(', ') ?? 'nothing'}`)
  await victim.gone
  // Rows that have nothing to do any more never move again: those that still move by the end are what counts.
  const ends = await endsOf(stage)
  await until('everything goes on after a kill', watch, () => {
    const { partitions, places } = watch.movesAfter(moment)
    const over = watch.waiting() === 0 && watch.read() >= [...ends.values()].reduce((sum, end) => sum + end, 0)
    return (partitions.size >= ends.size && places.size >= ends.size) || over || Date.now() - moment > STUCK_MS / 2
  })
  const { partitions, places } = watch.movesAfter(moment)
  const last = (moves: ReadonlyMap<string, number>): number | null =>
    moves.size === 0 ? null : seconds(Math.max(...moves.values()))
  const went = {
    killed: what,
    publishedRanges: held(pid),
    partitionsMoved: partitions.size,
    partitionsOnAfterSeconds: last(partitions),
    perPartitionSeconds: [...partitions.values()].map(seconds).sort((a, b) => a - b),
    publishingOnAfterSeconds: last(places),
    placesMoved: places.size,
  }
  say(
    `all ${partitions.size} partitions went on after ${went.partitionsOnAfterSeconds} s, publishing after ${went.publishingOnAfterSeconds} s`,
  )
  return went
}
