// Verdicts from the log: one batch of records in, one transaction out.
//
//   1. read      bytes -> event -> verdict       or a dead letter; what this gate wrote itself is passed over
//   2. commit    one store transaction: the offset moves, and under the listings' locks each verdict is recorded, once
//                by its id, and decides anew where it is about what stands
//   3. tell      metrics, and a nudge to who waits
import type { TopicNames } from '../events/topics.ts'
import { decodeEvent } from '../events/wire.ts'
import { parseVerdict } from '../review/parse-verdict.ts'
import type { Telemetry } from '../telemetry.ts'
import { commitOrApart } from './commit-apart.ts'
import { createCommit } from './commit-batch.ts'
import { ok, type Outcome } from './outcome.ts'
import type { Batch, BatchResult, LogRecord } from './log/ports.ts'
import { GATE_SOURCE } from './sources.ts'
import type { VerdictStore } from './verdicts/ports.ts'
import { settleVerdicts, type ReadVerdict, type TriedVerdict, type VerdictTally } from './verdicts/settle.ts'

export interface VerdictOptions {
  readonly store: VerdictStore
  readonly topics: TopicNames
  readonly group: string
  readonly telemetry: Telemetry
  /** What the topic of the dead letters takes as one record. */
  readonly maxDeadLetterBytes: number
  /** The store refuses what a record says (not how it was said): trying again as it is can never succeed. */
  readonly isDataError: (error: unknown) => boolean
  /** Called after the commit of a batch. */
  readonly recorded?: (tally: VerdictTally) => void
}

/** What `startRun` does with a batch of the verdicts topic. */
export function createVerdicts(options: VerdictOptions): (batch: Batch, lost: AbortSignal) => Promise<BatchResult> {
  const { store, topics, group, telemetry, maxDeadLetterBytes } = options
  const commit = createCommit({
    store,
    group,
    telemetry,
    wanted: (records: readonly TriedVerdict[]) =>
      records.flatMap(({ tried }) =>
        tried.kind === 'ok' && tried.value.kind === 'verdict' ? [tried.value.verdict] : [],
      ),
    settle: (records, known, at) => settleVerdicts(records, known, { topics, ...at, maxDeadLetterBytes }),
    told(tally) {
      count(telemetry, tally)
      options.recorded?.(tally)
    },
  })
  return (batch) => {
    const records = batch.records.map((record) => ({ record, partition: batch.partition, tried: readVerdict(record) }))
    return commitOrApart(batch, records, commit, options)
  }
}

/** Phase 1. Pure. */
function readVerdict(record: LogRecord): Outcome<ReadVerdict> {
  const decoded = decodeEvent(record, 'verdicts')
  if (decoded.kind === 'problem')
    return { kind: 'deadLetter', code: decoded.code, message: decoded.message, stage: 'decode', attempts: 1 }
  if (decoded.source === GATE_SOURCE) return ok({ kind: 'own' })
  const parsed = parseVerdict(decoded.data)
  if (parsed.kind === 'ok') return ok({ kind: 'verdict', verdict: parsed.value })
  const { message, path } = parsed
  return { kind: 'deadLetter', code: 'invalid', message, path, stage: 'parse', attempts: 1 }
}

function count({ metrics }: Telemetry, tally: VerdictTally): void {
  for (const verdict of tally.verdicts) metrics.touchstone_verdicts_total.inc({ verdict })
  metrics.touchstone_verdict_duplicates_total.inc(tally.duplicates)
  for (const code of tally.deadLetters) metrics.touchstone_dead_letters_total.inc({ code })
  for (const { outcome, stage } of tally.decided) metrics.touchstone_decisions_total.inc({ outcome, stage })
}
