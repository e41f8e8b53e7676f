// A store in memory that moves offsets by compare-and-set, for lines in tests: what it was given stays, whoever gave it dies.
import { topicNames } from '../../../../src/events/topics.ts'
import { createCommit } from '../../../../src/pipeline/commit-batch.ts'
import type { Batch, LogRecord } from '../../../../src/pipeline/log/ports.ts'
import type { GateStore, Standing } from '../../../../src/pipeline/ports.ts'
import { settle, type Tried, type TriedRecord } from '../../../../src/pipeline/settle.ts'
import type { LineOptions } from '../../../../src/pipeline/waiting/line.ts'
import { createTelemetry } from '../../../../src/telemetry.ts'
import { assessment, listingOf } from '../assessments.ts'

export const TOPICS = topicNames('t')
const NOW = new Date('2026-01-01T00:00:00Z')

export const listing = (listingId: string, revision: number, words = 'a', marketplace?: string): Tried => ({
  kind: 'ok',
  value: {
    kind: 'listing',
    listing: { ...listingOf(listingId, revision), ...(marketplace === undefined ? {} : { marketplace }) },
    bound: false,
    contentHash: `${revision}${words}${marketplace ?? ''}`,
    submittedAt: NOW.toISOString(),
    assessment: assessment('allow'),
  },
})
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
export const letter: Tried = { kind: 'deadLetter', code: 'no-identity', message: 'm', stage: 'parse', attempts: 1 }

export function nameOf(tried: Tried): string | undefined {
  if (tried.kind === 'refuse') return tried.listingId
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

export function createWorld() {
  let offset = 0n
  const standings = new Map<string, Standing>()
  /** What each listing's readers were told, in order; dead letters by the offset they are of. */
  const ends = new Map<string, string[]>()
  const letters: string[] = []
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
  const commit = createCommit({
    store,
    group: 'g',
    telemetry: createTelemetry({ level: 'silent' }),
    wanted: (records: readonly TriedRecord[]) =>
      records.flatMap(({ tried }) => {
        const listingId = nameOf(tried)
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
    onDataError: () => undefined,
  }
  return { options, hooks, commits, ends, letters, offset: () => offset, moveTo: (to: bigint) => (offset = to) }
}
