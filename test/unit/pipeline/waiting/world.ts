// A store in memory that moves offsets by compare-and-set, for lines in tests: what it was given stays, whoever gave it dies.
import type { Outcome } from '../../../../src/domain/policy.ts'
import { topicNames } from '../../../../src/events/topics.ts'
import { createCommit } from '../../../../src/pipeline/commit-batch.ts'
import type { Batch, LogRecord } from '../../../../src/pipeline/log/ports.ts'
import type { GateStore, Standing } from '../../../../src/pipeline/ports.ts'
import { refusedByStore } from '../../../../src/pipeline/refused-by-store.ts'
import { settle, type Tried, type TriedRecord } from '../../../../src/pipeline/settle.ts'
import type { Line, LineOptions, Part } from '../../../../src/pipeline/waiting/line.ts'
import { createTelemetry } from '../../../../src/telemetry.ts'
import { assessment, listingOf } from '../assessments.ts'

export const TOPICS = topicNames('t')
const NOW = new Date('2026-01-01T00:00:00Z')

export const listing = (
  listingId: string,
  revision: number,
  words = 'a',
  marketplace?: string,
  { bound = false, outcome = 'allow' }: { bound?: boolean; outcome?: Outcome } = {},
): Tried => ({
  kind: 'ok',
  value: {
    kind: 'listing',
    listing: { ...listingOf(listingId, revision), ...(marketplace === undefined ? {} : { marketplace }) },
    bound,
    contentHash: `${revision}${words}${marketplace ?? ''}`,
    submittedAt: NOW.toISOString(),
    assessment: assessment(outcome),
  },
})
/** The same, where our own code fails on it. */
export const failing = (tried: Tried): Tried =>
  tried.kind === 'ok' && tried.value.kind === 'listing'
    ? { ...letter, stage: 'assess', said: { ...tried.value.listing, contentHash: tried.value.contentHash } }
    : tried
export const withdrawal = (listingId: string, revision: number, marketplace?: string): Tried => ({
  kind: 'ok',
  value: { kind: 'withdrawal', identity: { listingId, revision }, marketplace },
})
export const refused = (listingId: string): Tried => ({
  kind: 'refuse',
  listingId,
  revision: 9,
  code: 'too-large',
  message: 'm',
  path: '',
})
export const letter = {
  kind: 'deadLetter',
  code: 'no-identity',
  message: 'm',
  stage: 'parse',
  attempts: 1,
} as const satisfies Tried

export function nameOf(tried: Tried): string | undefined {
  if (tried.kind === 'refuse') return tried.listingId
  if (tried.kind === 'deadLetter') return tried.said?.listingId
  if (tried.kind !== 'ok') return undefined
  return tried.value.kind === 'listing' ? tried.value.listing.listingId : tried.value.identity.listingId
}

export const recordAt = (offset: number): LogRecord => ({
  offset: BigInt(offset),
  appendedAt: NOW,
  key: null,
  value: Buffer.from(String(offset)),
  headers: {},
})
export const batchOf = (from: number, count: number): Batch => ({
  topic: TOPICS.listings,
  partition: 0,
  from: BigInt(from),
  next: BigInt(from + count),
  end: 1_000n,
  records: Array.from({ length: count }, (_, i) => recordAt(from + i)),
})

/** A batch whose records are known by name, all of them tried but none put yet. */
export function enter(line: Line, from: number, tried: readonly Tried[], behind: () => void = () => undefined) {
  const part: Part = line.add(batchOf(from, tried.length), behind)
  for (const [i, one] of tried.entries()) part.name(i, nameOf(one))
  const put = (...which: number[]) => {
    for (const i of which) part.put(i, { record: recordAt(from + i), partition: 0, tried: tried[i] ?? letter })
  }
  return { part, put }
}

export function createWorld() {
  let offset = 0n
  const standings = new Map<string, Standing>()
  /** What each listing's readers were told, in order; dead letters by the offset they are of. */
  const ends = new Map<string, string[]>()
  const letters: string[] = []
  /** By listing, what became of its cases. */
  const cases = new Map<string, string[]>()
  const commits: { from: bigint; next: bigint; records: bigint[] }[] = []
  /** Called after a commit took effect: what it throws is all that the committer hears of it. */
  const hooks: { before?: (records: readonly TriedRecord[]) => void | Promise<void>; after?: () => void } = {}
  const tell = (listingId: string, what: string) => ends.set(listingId, [...(ends.get(listingId) ?? []), what])

  const store: Pick<GateStore, 'commit'> = {
    commit(span, wanted, work) {
      if (span.from !== offset) return Promise.resolve('moved')
      const known = new Map(
        wanted.map(({ listingId }) => {
          const row = standings.get(listingId)
          const named = wanted.filter((one) => one.listingId === listingId).map((one) => one.revision)
          const hashes = new Map([...(row?.hashes ?? [])].filter(([revision]) => named.includes(revision)))
          return [listingId, row === undefined ? undefined : { ...row, hashes }] as const
        }),
      )
      const settlement = work(new Map([...known].flatMap(([id, row]) => (row === undefined ? [] : [[id, row]]))), NOW)
      offset = span.next
      for (const row of settlement.standings) {
        const hashes = new Map(standings.get(row.listingId)?.hashes ?? [])
        for (const { listing: one, contentHash } of settlement.revisions)
          if (one.listingId === row.listingId) hashes.set(one.revision, contentHash)
        standings.set(row.listingId, { ...row, hashes })
      }
      for (const { listingId, change, revision } of settlement.cases)
        cases.set(listingId, [...(cases.get(listingId) ?? []), `${change} ${revision}`])
      for (const one of settlement.outbox) {
        if (one.topic === TOPICS.deadLetters) letters.push(Buffer.from(one.value ?? []).toString())
        else {
          const data = JSON.parse(Buffer.from(one.value ?? []).toString()) as {
            listingId: string
            revision: number
            code?: string
            sequence: number
          }
          tell(data.listingId, `${data.revision} ${data.code ?? data.sequence}`)
        }
      }
      return Promise.resolve('committed')
    },
  }
  const telemetry = createTelemetry({ level: 'silent' })
  const commit = createCommit({
    store,
    group: 'g',
    telemetry,
    wanted: (records: readonly TriedRecord[]) =>
      records.flatMap(({ tried }) => {
        const listingId = nameOf(tried)
        if (tried.kind === 'deadLetter' && tried.said !== undefined) return [tried.said]
        if (tried.kind !== 'ok' || listingId === undefined) return []
        const { revision } = tried.value.kind === 'listing' ? tried.value.listing : tried.value.identity
        return [{ listingId, revision }]
      }),
    settle: (records, known, at) =>
      settle(records, known, { topics: TOPICS, ...at, draw: () => false, maxDeadLetterBytes: 1 << 20 }),
    told: () => undefined,
  })
  const options: LineOptions = {
    async commit(span, records, tell) {
      commits.push({ from: span.from, next: span.next, records: records.map(({ record }) => record.offset) })
      await hooks.before?.(records)
      const result = await commit(span, records, tell)
      hooks.after?.()
      return result
    },
    isDataError: (error) => error instanceof RangeError,
    refused: (error, record) => refusedByStore(error, record, telemetry),
  }
  return {
    options,
    hooks,
    commits,
    ends,
    letters,
    cases,
    standings,
    offset: () => offset,
    moveTo: (to: bigint) => (offset = to),
  }
}
