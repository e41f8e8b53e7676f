// Listings through the gate on real Kafka by one to three worker processes, against the bare read-and-write of the same records.
//
//   node scripts/bench/kafka.ts [--listings 100000] [--runs 3] [--workers 1,2,3] [--rates 200,1000] [--seconds 20]
//     [--steady-workers 1,2,3] [--kafka 4.1.2|3.9.2] [--json]
//
// Broker, PostgreSQL (fsync on), workers, load and reader share this machine. Every measurement has topics, groups and a
// database of its own. The bare one is kafkajs reading and writing the same bytes with the same number of processes: what
// the gate costs is the difference. Figures are the median of the runs, by `perSecond` or `p50Ms`; all runs are listed.
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import type { KafkaVersion } from '../../test/support/kafka/broker.ts'
import { openStage, say } from '../kafka-stage.ts'
import { meanRecordBytes, measureBacklog, measureSteady, type Kind } from './kafka-measure.ts'

const { values: args } = parseArgs({
  options: {
    listings: { type: 'string', default: '100000' },
    runs: { type: 'string', default: '3' },
    workers: { type: 'string', default: '1,2,3' },
    rates: { type: 'string', default: '200,1000' },
    seconds: { type: 'string', default: '20' },
    'steady-workers': { type: 'string', default: '1,2,3' },
    kafka: { type: 'string', default: '4.1.2' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const RUNS = Number(args.runs)
const LISTINGS = Number(args.listings)
const numbers = (list: string): number[] => list.split(',').filter(Boolean).map(Number)
const KINDS: readonly Kind[] = (['bare', 'gate'] as const).filter(
  (kind) => args.only === undefined || args.only === kind,
)

/** The middle one of the runs by one figure, with that figure of all of them. */
function median<T>(runs: readonly T[], figure: (run: T) => number): T & { readonly runs: number[] } {
  const sorted = [...runs].sort((a, b) => figure(a) - figure(b))
  const middle = sorted[Math.floor((sorted.length - 1) / 2)]
  if (middle === undefined) throw new Error('there was no run')
  return { ...middle, runs: runs.map(figure) }
}

async function repeated<T>(
  what: string,
  figure: (run: T) => number,
  measure: () => Promise<T>,
): Promise<T & { runs: number[] }> {
  const runs: T[] = []
  for (let i = 0; i < RUNS; i += 1) {
    const run = await measure()
    say(`${what}, run ${i + 1} of ${RUNS}: ${JSON.stringify(run)}`)
    runs.push(run)
  }
  return median(runs, figure)
}

const stage = await openStage({ version: args.kafka as KafkaVersion, nodes: 1 })
try {
  const backlog = []
  for (const workers of numbers(args.workers))
    for (const kind of KINDS)
      backlog.push({
        kind,
        workers,
        ...(await repeated(
          `backlog, ${kind}, ${workers} workers`,
          (run) => run.perSecond,
          () => measureBacklog(stage, kind, workers, LISTINGS),
        )),
      })
  const steady = []
  for (const rate of numbers(args.rates))
    for (const workers of numbers(args['steady-workers']))
      for (const kind of KINDS)
        steady.push({
          kind,
          rate,
          workers,
          ...(await repeated(
            `${rate} a second, ${kind}, ${workers} workers`,
            (run) => run.p50Ms,
            () => measureSteady(stage, kind, workers, rate, Number(args.seconds)),
          )),
        })
  const result = {
    kafka: stage.kafkaVersion,
    listings: LISTINGS,
    meanRecordBytes: meanRecordBytes(),
    backlog,
    steadySeconds: Number(args.seconds),
    steady,
    node: process.version,
    cores: availableParallelism(),
    cpu: readFileSync('/proc/cpuinfo', 'utf8').match(/model name\s*: (.*)/)?.[1],
  }
  process.stdout.write(args.json ? `${JSON.stringify(result)}\n` : `${JSON.stringify(result, null, 2)}\n`)
} finally {
  await stage.stop()
}
