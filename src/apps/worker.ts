// What decides: listings in, decisions out, deadlines, and the clean-up. Built on the ground, ended before it.
import { hostname } from 'node:os'
import { isDataError } from '../adapters/postgres/data-error.ts'
import { createGateStore } from '../adapters/postgres/gate-store.ts'
import { createOutbox } from '../adapters/postgres/outbox.ts'
import { prepareOutputs } from '../adapters/postgres/outputs.ts'
import { createRescreenStore } from '../adapters/postgres/rescreen-store.ts'
import { createVerdictStore } from '../adapters/postgres/verdict-store.ts'
import type { Config } from '../config.ts'
import type { BacklogWatch } from '../pipeline/backlog.ts'
import { createBankWatch } from '../pipeline/banks/quarantine.ts'
import { createClock } from '../pipeline/deadlines.ts'
import { createLoop, type Loop } from '../pipeline/loop.ts'
import type { GateStore, Publisher } from '../pipeline/ports.ts'
import { createPublishing } from '../pipeline/publishing.ts'
import { createRescreening } from '../pipeline/rescreening.ts'
import { startRun, type Run } from '../pipeline/run.ts'
import { createScreening } from '../pipeline/screening.ts'
import { createVerdicts } from '../pipeline/verdicts.ts'
import type { Telemetry } from '../telemetry.ts'
import { createClosing } from './closing.ts'
import { watchInput, type Ground } from './ground.ts'
import { warnNotLookedUp } from './look-warning.ts'
import { limitOf } from './topics.ts'

export interface Worker {
  readonly store: GateStore
  /** All that waits to be published, whoever publishes it. */
  readonly publisher: Pick<Publisher, 'backlog'>
  /** Of the listings. */
  readonly run: Run
  readonly verdicts: Run
  /** Rejects when the gate had to stop: something happened that needs a person. */
  readonly done: Promise<void>
  /** How far deciding is behind. */
  readonly backlog: BacklogWatch
  readonly verdictBacklog: BacklogWatch
  /** The duties in the background, by the name that metrics and readiness use. */
  readonly loops: Readonly<Record<string, Loop>>
  /** Calls back whenever decisions were written here; returns the way to stop. */
  readonly onDecided: (listener: () => void) => () => void
  stop(): Promise<void>
}

/** Expired rows are deleted in small bites, this often. */
const JANITOR_MS = 60_000
/** A week: a snapshot of the banks that is older is read anew instead of caught up. */
const REMOVED_SECONDS = 604_800

export async function startWorker(ground: Ground, config: Config, telemetry: Telemetry): Promise<Worker> {
  const closing = createClosing(telemetry.log)
  try {
    const { topics, groups, log, openLog, gateNow, pictureStore, bankStore, draw } = ground
    const { deciding } = ground.database.database
    // Gate and verdicts must agree on the partition of a key, so both get what the store keeps and not what the log has.
    const outputs = await prepareOutputs(deciding, ground.outputs)
    const store = await createGateStore({
      pool: deciding,
      outputs,
      grouping: { ofTurn: true, maxRecords: config.TOUCHSTONE_BATCH_RECORDS },
    })
    // The same process may start again under its old number while the lease of the old one still runs: that is no harm.
    const owner = `${hostname()}/${process.pid}`
    const outbox = createOutbox({ pool: deciding, owner })
    const loops: Record<string, Loop> = {}
    const background = (name: string, loop: Loop) => {
      loops[name] = loop
      closing.add(() => loop.stop())
      return loop
    }
    const publishing: Loop[] = []
    const publishers = await openLog.publishers({
      pool: deciding,
      owner,
      outbox,
      topics: Object.keys(outputs),
    })
    for (const [name, publisher] of Object.entries(publishers)) {
      closing.add(() => publisher.release())
      publishing.push(background(name, createPublishing(publisher, telemetry, name)))
    }
    const listeners = new Set<() => void>()
    const decided = () => {
      for (const loop of publishing) loop.nudge()
      for (const listener of listeners) listener()
    }
    background('clock', createClock({ store, topics, telemetry, decided }))
    const watch = createBankWatch(bankStore, telemetry, {
      limit: config.TOUCHSTONE_BANK_SELLERS_PER_HOUR,
      perHour: config.TOUCHSTONE_BANK_QUARANTINES_PER_HOUR,
    })
    closing.add(() => watch.stop())
    background(
      'rescreening',
      createRescreening({
        store: createRescreenStore({ pool: deciding, outputs }),
        gate: gateNow,
        topics,
        telemetry,
        pictures: pictureStore,
        matched: watch.saw,
        decided,
      }),
    )
    const pruneHourly = createHourly(
      async () =>
        (await pictureStore.prune(config.TOUCHSTONE_PICTURE_DAYS)) + (await bankStore.purge(REMOVED_SECONDS, 1_000)),
    )
    background(
      'janitor',
      createLoop('janitor', telemetry.log, async () => {
        const pictures = await pruneHourly()
        const more = pictures + (await outbox.prune(config.TOUCHSTONE_OUTBOX_HOURS * 3_600)) + (await openLog.prune())
        return more > 0 ? 1_000 : JANITOR_MS
      }),
    )
    const limits = {
      maxRecords: config.TOUCHSTONE_BATCH_RECORDS,
      maxBytes: config.TOUCHSTONE_BATCH_BYTES,
      concurrency: config.TOUCHSTONE_CONCURRENCY,
    }
    const maxDeadLetterBytes = limitOf('deadLetters', config)
    const common = { log, store, topics, telemetry, isTransient: openLog.isTransient, ...limits }
    const run = startRun({
      ...common,
      group: groups.listings,
      screen: createScreening({
        store,
        gate: gateNow,
        pictures: pictureStore,
        draw,
        topics,
        group: groups.listings,
        telemetry,
        maxListingBytes: config.TOUCHSTONE_MAX_LISTING_BYTES,
        maxDeadLetterBytes,
        isDataError,
        matched: watch.saw,
        decided,
      }),
    })
    closing.add(() => run.stop())
    const verdicts = startRun({
      ...common,
      input: 'verdicts',
      group: groups.verdicts,
      screen: createVerdicts({
        store: createVerdictStore({
          pool: deciding,
          looking: ground.database.database.reading,
          outputs,
          officials: ground.officials,
          elsewhere: { notKnown: warnNotLookedUp(telemetry) },
        }),
        topics,
        group: groups.verdicts,
        telemetry,
        maxDeadLetterBytes,
        isDataError,
        recorded: decided,
      }),
    })
    closing.add(() => verdicts.stop())
    const watchTopic = (topic: 'listings' | 'verdicts', from: Run) => {
      const input = { topic: topics[topic], group: groups[topic] }
      const backlog = watchInput(ground, input, telemetry, () => from.progress().held)
      closing.add(() => backlog.stop())
      return backlog
    }
    const done = Promise.race([run.done, verdicts.done])
    // Whoever started us awaits it; until then a rejection must not end the process unseen.
    done.catch(() => undefined)
    return {
      store,
      publisher: { backlog: () => outbox.backlog() },
      run,
      verdicts,
      done,
      backlog: watchTopic('listings', run),
      verdictBacklog: watchTopic('verdicts', verdicts),
      loops,
      onDecided(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
      stop: () => closing.close(),
    }
  } catch (error) {
    await closing.close()
    throw error
  }
}

/** Asks until there is nothing more, and then an hour later: finding what nobody needs means looking at all of it. */
function createHourly(prune: () => Promise<number>): () => Promise<number> {
  let next = 0
  return async () => {
    if (performance.now() < next) return 0
    const removed = await prune()
    if (removed === 0) next = performance.now() + 3_600_000
    return removed
  }
}
