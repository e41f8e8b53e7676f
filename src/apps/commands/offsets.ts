// `offsets`: where reading stands, and the way on for a person who has decided to do without records that are gone.
import { InvalidArgumentError, type Command } from 'commander'
import { readOffsets } from '../../adapters/postgres/examine.ts'
import { moveOffsetByHand } from '../../adapters/postgres/move-offset.ts'
import { TouchstoneError } from '../../errors.ts'
import { topicNames } from '../../events/topics.ts'
import { createTelemetry } from '../../telemetry.ts'
import type { Log } from '../../pipeline/log/ports.ts'
import { groupNames } from '../ground.ts'
import { openLog, reachLog } from '../log.ts'
import type { Config } from '../../config.ts'
import type { OpenDatabase } from '../store.ts'
import { print, table, withStore } from './with-store.ts'

const offset = (text: string): bigint => {
  if (!/^\d{1,18}$/.test(text)) throw new InvalidArgumentError('It is a whole number from 0 on.')
  return BigInt(text)
}

export function registerOffsets(program: Command): void {
  const offsets = program
    .command('offsets')
    .description('Where reading stands, by partition; and the way on past records that are gone.')
    .addHelpText('after', '\nExample:\n  $ touchstone offsets list')
  offsets
    .command('list')
    .description('Every partition that is read: what the log holds, and the offset at which reading goes on.')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  $ touchstone offsets list')
    .action(async (options: { json?: boolean }) => {
      await withLog(async (store, log, config) => {
        const found = []
        for (const input of inputsOf(config)) {
          const at = await readOffsets(store.database.reading, input)
          for (const { partition, low, high } of await log.ranges(input.topic)) {
            const next = at.get(partition) ?? low
            const state = next >= low && next <= high ? 'ok' : 'outside'
            found.push({
              topic: input.topic,
              partition,
              next: String(next),
              low: String(low),
              high: String(high),
              state,
            })
          }
        }
        const rows = found.map((f) => [f.topic, String(f.partition), f.next, f.low, f.high, f.state])
        print(options.json, found, table(['topic', 'partition', 'next', 'log from', 'log to', ''], rows))
      })
    })
  offsets
    .command('move')
    .description('Go on reading a partition elsewhere: records that are passed over are never decided.')
    .argument('<topic>', 'its full name')
    .argument('<partition>', 'its number', offset)
    .argument('<from>', 'the offset at which reading stands: nothing is done when it is another by now', offset)
    .argument('<to>', 'the offset at which reading shall go on', offset)
    .addHelpText(
      'after',
      `
For records that were removed before they were read, and for one that cannot be read; \`touchstone doctor\` names the
place. Whoever reads what is read already decides nothing twice.

Example:
  $ touchstone offsets move touchstone.listings.v1 3 1200 1850`,
    )
    .action(async (topic: string, partition: bigint, from: bigint, to: bigint) => {
      await withLog(async (store, log, config) => {
        const input = inputsOf(config).find((one) => one.topic === topic)
        const names = inputsOf(config).map((one) => one.topic)
        if (input === undefined) throw new TouchstoneError('usage', `the gate reads ${names.join(' and ')}`)
        const range = (await log.ranges(topic)).find((one) => one.partition === Number(partition))
        if (range === undefined) throw new TouchstoneError('usage', `${topic} has no partition ${partition}`)
        const { low, high } = range
        if (to < low || to > high)
          throw new TouchstoneError('usage', `partition ${partition} of ${topic} holds ${low} to ${high}, not ${to}`)
        const at = { ...input, partition: Number(partition) }
        const instead = await moveOffsetByHand(store.database.deciding, at, from, to, low)
        if (instead !== undefined)
          throw new TouchstoneError(
            'usage',
            `reading of partition ${partition} of ${topic} stands at ${instead} and not at ${from}; nothing was moved`,
          )
        const passed = to > from ? `; what lay from ${from} to ${to - 1n} is not decided` : ''
        print(false, undefined, `Partition ${partition} of ${topic} goes on at ${to}${passed}.`)
      })
    })
}

/** What the gate reads, and the groups under which the store keeps where. */
export function inputsOf(config: Config): readonly { readonly topic: string; readonly group: string }[] {
  const [topics, groups] = [topicNames(config.TOUCHSTONE_TOPIC_PREFIX), groupNames(config.TOUCHSTONE_TOPIC_PREFIX)]
  return [
    { topic: topics.listings, group: groups.listings },
    { topic: topics.verdicts, group: groups.verdicts },
  ]
}

/** Somebody sits in front of it. */
const REACH_MS = 3_000

async function withLog(work: (store: OpenDatabase, log: Log, config: Config) => Promise<void>): Promise<void> {
  await withStore('offsets', async (store, _reference, config) => {
    const telemetry = createTelemetry({ level: config.LOG_LEVEL ?? 'error' })
    await reachLog({ config, program: 'offsets', telemetry }, REACH_MS, () => undefined)
    const onError = (error: Error) => telemetry.log.error({ err: error.message }, 'a connection broke')
    const opened = await openLog({ config, url: store.url, program: 'offsets', telemetry, onError })
    try {
      await work(store, opened.log, config)
    } finally {
      await opened.close()
    }
  })
}
