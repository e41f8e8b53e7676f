// Where publishing goes on after a take-over: what the log shows is compared with what the store says, place by place.
import { TouchstoneError } from '../../errors.ts'
import type { Mark, Move, OutboxRecord, Place, PublishedPosition } from './ports.ts'

export interface Continuation {
  /** Tails to move before anything is sent. */
  readonly moves: readonly Move[]
  /** Rows that the store called published and the log does not have. */
  readonly lost: readonly (Place & { readonly from: bigint; readonly to: bigint; readonly gone: bigint })[]
}

export const nameOf = (place: Place): string => `${place.topic}[${place.partition}]`

/**
 * The rules, for a log that was asked after fencing:
 * - It ends where the tail is, or shows nothing of ours (retention took it, or nothing was ever sent): the tail counts.
 * - It ends beyond the tail: whoever published died before the mark. The tail moves up; nothing is sent twice.
 * - It ends beyond the head, or at a position where the store has another row (`rowAt`): the store is older than the log,
 *   as after a restored backup. Refused with `store-behind-log`: new decisions would carry positions that are taken.
 * - It ends with another store's record: refused with `store-foreign`.
 * - It ends before the tail, or never had anything of ours: the log lost what it had acknowledged (disks lost, an unclean
 *   election, a topic that was made anew). The tail moves back, and what the store still has of it is published again. Each
 *   row is then there at least once: a reader that had seen the lost ones sees them again, with the same `decisionId`. What
 *   the store no longer keeps is `gone`.
 * - The tail is below what was removed (rows were cleaned away while a tail moved back): it goes up to where rows begin.
 *
 * `rowAt` holds the rows of the positions for which the log is beyond the tail and not beyond the head.
 */
export function continueFrom(
  storeId: string,
  marks: readonly Mark[],
  published: readonly PublishedPosition[],
  rowAt: ReadonlyMap<string, OutboxRecord>,
): Continuation {
  const seen = new Map(published.map((one) => [nameOf(one), one]))
  const moves: Move[] = []
  const lost: (Move & { gone: bigint })[] = []
  for (const { topic, partition, head, tail, floor } of marks) {
    const name = nameOf({ topic, partition })
    const end = seen.get(name)
    if (end !== undefined) assertOurs(storeId, name, end, { head, tail, floor }, rowAt.get(name))
    const at = end?.position ?? tail
    const known = tail > floor ? tail : floor
    const to = at > floor ? at : floor
    if (at < known) lost.push({ topic, partition, from: at, to: known, gone: to - at })
    if (to !== tail) moves.push({ topic, partition, from: tail, to })
  }
  return { moves, lost }
}

/** Throws what refuses this store. */
function assertOurs(
  storeId: string,
  name: string,
  end: PublishedPosition,
  { head, tail, floor }: Pick<Mark, 'head' | 'tail' | 'floor'>,
  row: OutboxRecord | undefined,
): void {
  if (end.position > 0n && end.storeId !== storeId) {
    throw new TouchstoneError(
      'store-foreign',
      `${name} ends with position ${end.position} of the store ${end.storeId}, and ours is ${storeId}`,
    )
  }
  if (end.position > head) {
    throw new TouchstoneError(
      'store-behind-log',
      `${name} ends with position ${end.position}, and the store has only given ${head}`,
    )
  }
  // Up to the floor there are no rows to compare with.
  if (end.position <= tail || end.position <= floor) return
  if (row?.position !== end.position || !sameBytes(row.key, end.key) || !sameBytes(row.value, end.value)) {
    throw new TouchstoneError(
      'store-behind-log',
      `${name} has another record at position ${end.position} than the store`,
    )
  }
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
