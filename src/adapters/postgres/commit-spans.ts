// One transaction for what was read of several partitions: their offsets move and all that was settled is written, or nothing.
import type { Pool, QueryResult } from 'pg'
import type { BatchResult } from '../../pipeline/log/ports.ts'
import type { GateStore, Settlement, Span, Standing } from '../../pipeline/ports.ts'
import { lockOffsets, moveOffsets } from './input-offsets.ts'
import type { MovedOffset } from './input-offsets.ts'
import type { Outputs } from './outputs.ts'
import { assertWritable, writeSettlement } from './settlement.ts'
import { lockListings, readStandings, standingsFrom } from './standings.ts'
import type { KnownRow } from './standings.ts'
import { bytesOf } from './statement.ts'
import type { Statement } from './statement.ts'
import { inTransactionFrom } from './transaction.ts'

/** One call of the store's `commit`. */
export interface Commit {
  readonly span: Span
  readonly wanted: Parameters<GateStore['commit']>[1]
  readonly settle: Parameters<GateStore['commit']>[2]
}

/** What became of each commit, in their order; or what one of them did wrong, so that nothing was written. */
export type CommitsResult =
  | { readonly results: readonly BatchResult[]; /** About, of all that was written. */ readonly bytes: number }
  | { readonly refused: unknown }

/**
 * Commits of different partitions and different listings. One whose offset has moved is left out, the others take effect.
 * Two round trips: the locks and what is known; then what was settled with the commit. Rejects when the database refuses
 * something, or when the outcome is unknown.
 */
export function commitSpans(pool: Pool, outputs: Outputs, commits: readonly Commit[]): Promise<CommitsResult> {
  const spans = commits.map((one) => one.span)
  const wanted = commits.flatMap((one) => one.wanted)
  const ids = [...new Set(wanted.map((one) => one.listingId))]
  const locking = spans.length > 1 ? [lockOffsets(spans)] : []
  const listings = ids.length > 0 ? [lockListings(ids), readStandings(wanted)] : []
  const first = [...locking, moveOffsets(spans), ...listings]
  return inTransactionFrom<CommitsResult, readonly Statement[]>(pool, first, (_tx, answers) => {
    const moves = rowsOf<MovedOffset>(answers[locking.length])
    const now = new Map(moves.map((row) => [placeOf(row.grp, row.topic, row.part), row.now]))
    const known = standingsFrom(listings.length > 0 ? rowsOf<KnownRow>(answers.at(-1)) : [])
    const results = spans.map((span): BatchResult => (now.has(partitionOf(span)) ? 'committed' : 'moved'))
    if (now.size === 0) return Promise.resolve({ undo: { results, bytes: 0 } })
    try {
      const settled = commits.flatMap((one) => {
        const at = now.get(partitionOf(one.span))
        return at === undefined ? [] : [settlementOf(one, known, at)]
      })
      const last = writeSettlement(together(settled), outputs)
      return Promise.resolve({ done: { results, bytes: bytesOf(last) }, last })
    } catch (refused) {
      return Promise.resolve({ undo: { refused } })
    }
  })
}

/** Each settles on its own listings only, as if it were alone. */
function settlementOf(commit: Commit, known: ReadonlyMap<string, Standing>, now: Date): Settlement {
  const standings = new Map<string, Standing>()
  for (const { listingId } of commit.wanted) {
    const standing = known.get(listingId)
    if (standing !== undefined) standings.set(listingId, standing)
  }
  const settlement = commit.settle(standings, now)
  assertWritable(settlement, standings)
  return settlement
}

function together(settlements: readonly Settlement[]): Settlement {
  const [only] = settlements
  if (only !== undefined && settlements.length === 1) return only
  return {
    standings: settlements.flatMap((one) => one.standings),
    revisions: settlements.flatMap((one) => one.revisions),
    decisions: settlements.flatMap((one) => one.decisions),
    shown: new Map(settlements.flatMap((one) => [...(one.shown ?? [])])),
    cases: settlements.flatMap((one) => one.cases),
    refusals: settlements.flatMap((one) => one.refusals),
    outbox: settlements.flatMap((one) => one.outbox),
    casePictures: settlements.flatMap((one) => one.casePictures ?? []),
    rescreens: settlements.flatMap((one) => one.rescreens ?? []),
  }
}

const rowsOf = <Row>(answer: QueryResult | undefined): readonly Row[] => (answer?.rows ?? []) as Row[]

const placeOf = (group: string, topic: string, partition: number): string => JSON.stringify([group, topic, partition])

/** The same text for the same partition. */
export const partitionOf = (span: Pick<Span, 'group' | 'topic' | 'partition'>): string =>
  placeOf(span.group, span.topic, span.partition)
