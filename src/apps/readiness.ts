// Whether the process makes progress: every part says so itself, each within a bounded time.
import type { ReadinessCheck } from '../api/ports.ts'
import { ERRORS, TouchstoneError, withRemedy, type ErrorCode } from '../errors.ts'
import type { PartitionLag } from '../pipeline/backlog.ts'
import type { Loop } from '../pipeline/loop.ts'
import type { Progress } from '../pipeline/run.ts'
import type { Gate } from './gate.ts'

const CHECK_MS = 2_000
/** Loops nap a second at most; several failed rounds in a row look like this. */
const STALE_MS = 10_000
/**
 * Longer where one round may take longer: the janitor naps a minute and may have an hour's rows to delete; trying listings
 * again waits for hosts that were silent before, behind those that screening waits for.
 */
const PATIENCE_MS: ReadonlyMap<string, number> = new Map([
  ['janitor', 600_000],
  ['rescreening', 300_000],
])
/** A batch of the slowest listings, each at its time budget, takes this long; also the wait for a turn behind such batches. */
const BUSY_MS = 30_000

export async function probe(gate: Gate, failure: () => unknown): Promise<ReadinessCheck[]> {
  let lags: readonly PartitionLag[] = []
  let verdictLags: readonly PartitionLag[] = []
  const { explained } = gate.openLog
  const [store, log] = await Promise.all([
    bounded('store', explained, async () => {
      await gate.database.database.reading.query('select 1')
      return 'answers'
    }),
    bounded('log', explained, async () => {
      ;[lags, verdictLags = []] = await Promise.all([gate.backlog.look(), gate.verdictBacklog?.look()])
      return 'answers'
    }),
  ])
  return [
    store,
    checkAppends(log, gate.log.appendWaitMs()),
    gate.run === undefined ? describeWorkers(lags) : checkWorker(gate.run.progress(), lags, failure()),
    ...(gate.verdicts === undefined ? [] : [checkWorker(gate.verdicts.progress(), verdictLags, failure(), 'verdicts')]),
    ...Object.entries(dutiesOf(gate)).map(([name, loop]) => checkLoop(name, loop.idleMs(), loop.trouble())),
  ]
}

/** The background duties that readiness and metrics report on. */
export const dutiesOf = (gate: Pick<Gate, 'loops' | 'live' | 'banks'>): Readonly<Record<string, Loop>> => ({
  ...gate.loops,
  'reference-data': gate.live.loop,
  banks: gate.banks.loop,
})

export function checkLoop(name: string, idleMs: number, trouble?: TouchstoneError): ReadinessCheck {
  // No trying again mends these: somebody should hear of them at once.
  if (trouble !== undefined && REFUSALS.has(trouble.code))
    return { name, ok: false, detail: `stands still: ${withRemedy(trouble)}` }
  const ok = idleMs < (PATIENCE_MS.get(name) ?? STALE_MS)
  const cure = trouble === undefined ? '' : `: ${withRemedy(trouble)}`
  return { name, ok, detail: ok ? 'goes on' : `has done nothing for ${seconds(idleMs)}${cure}` }
}

const REFUSALS: ReadonlySet<ErrorCode> = new Set(['store-foreign', 'store-behind-log', 'transactions-refused'])

function checkAppends(log: ReadinessCheck, waitMs: number): ReadinessCheck {
  if (!log.ok || waitMs < STALE_MS) return log
  return { ...log, ok: false, detail: `has not taken a record for ${seconds(waitMs)}` }
}

/**
 * Stale is a partition where something waits and nothing was committed for ten seconds: at once where the store failed
 * or nothing is done about it, later where a batch is in hand, or its turn comes after others that are being committed.
 */
export function checkWorker(
  progress: Progress,
  lags: readonly PartitionLag[],
  stopped: unknown,
  name = 'worker',
): ReadinessCheck {
  const check = (ok: boolean, detail: string): ReadinessCheck => ({ name, ok, detail })
  if (stopped !== undefined) return check(false, 'stopped by an unexpected failure; see the log')
  const { held, busy, failing, committedMs, renewedMs, polledMs } = progress
  if (renewedMs > STALE_MS) return check(false, `its partitions were not confirmed for ${seconds(renewedMs)}`)
  if (polledMs > STALE_MS) return check(false, `could not read the log for ${seconds(polledMs)}`)
  const patience = (partition: number) =>
    !failing.has(partition) && (busy.has(partition) || committedMs < STALE_MS) ? BUSY_MS : STALE_MS
  const still = (reader: PartitionLag['reader'], limit: (partition: number) => number) =>
    lags.filter((lag) => lag.reader === reader && lag.stillMs > limit(lag.partition))
  const stuck = still('here', patience)
  if (stuck.length > 0)
    return check(false, `records wait in ${named(stuck)} and nothing was committed for ${seconds(longest(stuck))}`)
  const orphaned = still('nobody', () => STALE_MS)
  if (orphaned.length > 0)
    return check(false, `records wait in ${named(orphaned)}, which nobody reads, for ${seconds(longest(orphaned))}`)
  const elsewhere = still('elsewhere', () => STALE_MS)
  const note = elsewhere.length > 0 ? `; another process makes no progress in ${named(elsewhere)}` : ''
  return check(true, `works on ${held.length} partitions${note}`)
}

/** For a process without a worker: it does its own work whether or not others do theirs, so this never makes it stale. */
export function describeWorkers(lags: readonly PartitionLag[]): ReadinessCheck {
  const records = lags.reduce((sum, lag) => sum + lag.records, 0)
  const age = Math.max(0, ...lags.map((lag) => lag.seconds))
  const waits = records === 0 ? 'nothing waits' : `${records} records wait, the oldest for ${age.toFixed(0)} s`
  const orphaned = lags.filter((lag) => lag.reader === 'nobody')
  return {
    name: 'workers',
    ok: true,
    detail: orphaned.length === 0 ? waits : `${waits}; nobody reads ${named(orphaned)}`,
  }
}

/** The code says which of the two it is, log or store; the message may name addresses, and anybody may ask for readiness. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof TouchstoneError)) return 'failed; what this process wrote says why'
  const { title, remedy } = ERRORS[error.code]
  return `${error.code}: ${title}. ${remedy}`
}

async function bounded(
  name: string,
  explained: (error: unknown) => unknown,
  check: () => Promise<string>,
): Promise<ReadinessCheck> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<ReadinessCheck>((resolve) => {
    timer = setTimeout(
      () => resolve({ name, ok: false, detail: `did not answer within ${seconds(CHECK_MS)}` }),
      CHECK_MS,
    )
  })
  const asked = check().then(
    (detail): ReadinessCheck => ({ name, ok: true, detail }),
    (error: unknown): ReadinessCheck => ({ name, ok: false, detail: describeFailure(explained(error)) }),
  )
  return Promise.race([asked, late]).finally(() => clearTimeout(timer))
}

const longest = (lags: readonly PartitionLag[]) => Math.max(...lags.map((lag) => lag.stillMs))
const named = (lags: readonly PartitionLag[]) =>
  `${lags.length === 1 ? 'partition' : 'partitions'} ${lags.map((lag) => lag.partition).join(', ')}`
const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(0)} s`
