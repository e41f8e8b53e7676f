// What became of records that callers wait for: one question a round for all of them, one more only for those whose end came.
import type { Appended } from '../pipeline/log/ports.ts'
import type { DecisionReader, RecordEnd } from '../pipeline/ports.ts'
import type { Intake } from './ports.ts'

export type FindEnd = (
  record: Appended,
  identity: { readonly listingId: string; readonly revision: number },
) => Promise<Exclude<RecordEnd, { kind: 'pending' }> | undefined>

/** `round` rises with every round of the waiting room; within one the answer of the first who asks serves all. */
export function createFindEnd(decisions: DecisionReader, intake: Intake, round: () => number): FindEnd {
  const { group, topic } = intake
  let known: { readonly round: number; readonly passed: Promise<ReadonlyMap<number, bigint>> } | undefined
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
    if (next === undefined || next <= record.offset) return undefined
    const end = await decisions.endOf(group, topic, record, identity)
    return end.kind === 'pending' ? undefined : end
  }
}
