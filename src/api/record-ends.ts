// What became of records that callers wait for: one question a round for all of them, one more only for those whose end came.
import type { Appended } from '../pipeline/log/ports.ts'
import type { AskedRevision, DecisionReader, RecordEnd } from '../pipeline/ports.ts'
import type { Intake } from './ports.ts'

export type FindEnd = (
  record: Appended,
  identity: AskedRevision,
) => Promise<Exclude<RecordEnd, { kind: 'pending' }> | undefined>

/**
 * Where its partition has stood still for so long, a record may have been decided ahead of one that waits for its pictures:
 * longer than a gate at work takes for its next batch, and than it is patient with pictures.
 */
const STILL_MS = 150
/** Where it moves on, others that wait for their pictures may be passed one by one: whoever waits so long is asked for too. */
const MOVING_MS = 1_000
/** Records that are asked for together; more come with the next round. */
const ASKED = 1_000

interface Waiting {
  readonly asked: AskedRevision
  readonly since: number
  /** In which it was seen last. */
  round: number
}

/** `round` rises with every round of the waiting room; within one the answer of the first who asks serves all. */
export function createFindEnd(decisions: DecisionReader, intake: Intake, round: () => number): FindEnd {
  const { group, topic } = intake
  let known: { readonly round: number; readonly passed: Promise<ReadonlyMap<number, bigint>> } | undefined
  let ahead: { readonly round: number; readonly decided: Promise<ReadonlySet<AskedRevision>> } | undefined
  /** Where each partition stands, and since when. */
  const still = new Map<number, { readonly next: bigint; readonly since: number }>()
  const waiting = new Map<Appended, Waiting>()

  function isStill(partition: number, next: bigint): boolean {
    const before = still.get(partition)
    if (before?.next === next) return performance.now() - before.since >= STILL_MS
    still.set(partition, { next, since: performance.now() })
    return false
  }

  /** Of all that have waited long enough; of those who left nobody asks again. */
  function askAhead(now: number): Promise<ReadonlySet<AskedRevision>> {
    const due = new Map<Appended, Waiting>()
    for (const [record, one] of waiting) {
      if (one.round < now - 1) waiting.delete(record)
      else if (performance.now() - one.since >= STILL_MS && due.size < ASKED) due.set(record, one)
    }
    // To the end: where many wait, each has its turn.
    for (const [record, one] of due) {
      waiting.delete(record)
      waiting.set(record, one)
    }
    const asked = [...due.values()].map((one) => one.asked)
    return decisions.decided(asked).then((found) => new Set(found))
  }

  async function isAhead(record: Appended, identity: AskedRevision, now: number, afterMs: number): Promise<boolean> {
    const one = waiting.get(record) ?? { asked: identity, since: performance.now(), round: now }
    one.round = now
    if (!waiting.has(record)) waiting.set(record, one)
    if (performance.now() - one.since < afterMs) return false
    if (ahead?.round !== now) ahead = { round: now, decided: askAhead(now) }
    const { decided } = ahead
    try {
      return (await decided).has(one.asked)
    } catch (error) {
      if (ahead?.decided === decided) ahead = undefined
      throw error
    }
  }

  return async (record, identity) => {
    const now = round()
    if (known?.round !== now) known = { round: now, passed: decisions.passed(group, topic) }
    const { passed } = known
    let next: bigint | undefined
    try {
      next = (await passed).get(record.partition)
    } catch (error) {
      // Rounds only go on while somebody waits: a failure that was kept would fail everyone who comes later.
      if (known?.passed === passed) known = undefined
      throw error
    }
    if (next === undefined || next <= record.offset) {
      const afterMs = isStill(record.partition, next ?? -1n) ? STILL_MS : MOVING_MS
      if (!(await isAhead(record, identity, now, afterMs))) return undefined
      const found = await decisions.standing(identity.listingId, identity.revision)
      waiting.delete(record)
      return found === undefined ? undefined : { kind: 'decided', ...found }
    }
    waiting.delete(record)
    const end = await decisions.endOf(group, topic, record, identity)
    return end.kind === 'pending' ? undefined : end
  }
}
