// Which commits go together, in which order, and who is told what. Real: the queue. Not real: the transaction, which the test ends by hand.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createGroupCommit, type GroupCommitOptions } from '../../../src/adapters/postgres/group-commit.ts'
import type { Commit, CommitsResult } from '../../../src/adapters/postgres/commit-spans.ts'
import type { Settlement } from '../../../src/pipeline/ports.ts'

const NOTHING: Settlement = { standings: [], revisions: [], decisions: [], cases: [], refusals: [], outbox: [] }

function queue(options: Partial<GroupCommitOptions> = {}) {
  const running: { readonly commits: readonly Commit[]; readonly end: PromiseWithResolvers<CommitsResult> }[] = []
  const commit = createGroupCommit({
    commitTogether(commits) {
      const end = Promise.withResolvers<CommitsResult>()
      running.push({ commits, end })
      return end.promise
    },
    isAboutTheWrites: (error) => error instanceof RangeError,
    ...options,
  })
  return {
    partitions: () => running.map(({ commits }) => commits.map((one) => one.span.partition)),
    add: (partition: number, ids: readonly string[] = [`own-${partition}`], records = 1) =>
      commit(
        { group: 'g', topic: 't', partition, from: 0n, next: BigInt(records) },
        ids.map((listingId) => ({ listingId, revision: 1 })),
        () => NOTHING,
      ),
    async end(i: number, bytes = 0) {
      const one = running[i]
      one?.end.resolve({ results: one.commits.map(() => 'committed' as const), bytes })
      await settled()
    },
    async fail(i: number, error: Error) {
      running[i]?.end.reject(error)
      await settled()
    },
    async refuse(i: number, refused: Error) {
      running[i]?.end.resolve({ refused })
      await settled()
    },
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))
const endOf = (result: Promise<unknown>) => result.catch((error: unknown) => error)

describe('group commit', () => {
  test('one that comes alone goes at once; what comes meanwhile goes together, in the order of its coming', async () => {
    const q = queue()
    const first = q.add(0)
    expect(q.partitions()).toEqual([[0]])
    const later = [q.add(3), q.add(1), q.add(2)]
    expect(q.partitions()).toEqual([[0]])
    await q.end(0)
    expect(await first).toBe('committed')
    expect(q.partitions()).toEqual([[0], [3, 1, 2]])
    await q.end(1)
    expect(await Promise.all(later)).toEqual(['committed', 'committed', 'committed'])
  })

  test('those of one turn of the event loop go together, also the first', async () => {
    const q = queue({ ofTurn: true })
    void q.add(0)
    void q.add(1)
    expect(q.partitions()).toEqual([])
    await settled()
    expect(q.partitions()).toEqual([[0, 1]])
    void q.add(2)
    await q.end(0)
    expect(q.partitions()).toEqual([[0, 1], [2]])
  })

  test('who shares a listing or a partition with one before waits for the next, and nobody overtakes there', async () => {
    const q = queue()
    void q.add(0)
    void q.add(1, ['a'])
    void q.add(2, ['a', 'b'])
    // Shares nothing with the one that goes, but with the one that waits.
    void q.add(3, ['b'])
    void q.add(4, ['c'])
    void q.add(1, ['d'])
    await q.end(0)
    await q.end(1)
    await q.end(2)
    expect(q.partitions()).toEqual([[0], [1, 4], [2, 1], [3]])
  })

  test('a group holds so many records and, as far as one can tell, so many bytes; a large commit goes alone', async () => {
    const q = queue({ maxRecords: 10, maxBytes: 600 })
    void q.add(0)
    for (const partition of [1, 2, 3]) void q.add(partition, undefined, 4)
    void q.add(4, undefined, 50)
    await q.end(0)
    for (const partition of [5, 6, 7]) void q.add(partition)
    // Each record had 100 bytes, so that six fit.
    await q.end(1, 8 * 100)
    await q.end(2)
    await q.end(3)
    expect(q.partitions()).toEqual([[0], [1, 2], [3, 5, 6], [4], [7]])
  })

  test('a large group does not keep the next one from beginning, up to so many at once', async () => {
    const q = queue({ largeRecords: 5, maxAtOnce: 2 })
    void q.add(0, undefined, 5)
    void q.add(1, undefined, 4)
    void q.add(2, undefined, 5)
    expect(q.partitions()).toEqual([[0], [1]])
    await q.end(0)
    expect(q.partitions()).toEqual([[0], [1]])
    await q.end(1)
    expect(q.partitions()).toEqual([[0], [1], [2]])
  })

  test('when one is refused by what it writes, each is tried alone and only that one hears of it', async () => {
    for (const refuse of ['refuse', 'fail'] as const) {
      const q = queue()
      void q.add(0)
      const three = [q.add(1), q.add(2), q.add(3)].map(endOf)
      await q.end(0)
      await q[refuse](1, new RangeError('the group'))
      await q.end(2)
      await q[refuse](3, new RangeError('the guilty one'))
      await q.end(4)
      expect(q.partitions()).toEqual([[0], [1, 2, 3], [1], [2], [3]])
      expect(await Promise.all(three)).toEqual(['committed', new RangeError('the guilty one'), 'committed'])
    }
  })

  test('any other failure is everybody’s, because nobody knows what happened; the next ones go on', async () => {
    const q = queue()
    void q.add(0)
    const two = [q.add(1), q.add(2)].map(endOf)
    await q.end(0)
    const next = q.add(1)
    await q.fail(1, new Error('cut'))
    expect(await Promise.all(two)).toEqual([new Error('cut'), new Error('cut')])
    await q.end(2)
    expect(await next).toBe('committed')
    expect(q.partitions()).toEqual([[0], [1, 2], [1]])
  })

  describe('in time', () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
    afterEach(() => void vi.useRealTimers())

    test('one that stands still is waited for no longer than its time, up to so many at once', async () => {
      const q = queue({ patienceMs: 50, maxAtOnce: 2 })
      const stuck = q.add(0)
      const second = q.add(1)
      vi.advanceTimersByTime(49)
      expect(q.partitions()).toEqual([[0]])
      vi.advanceTimersByTime(1)
      expect(q.partitions()).toEqual([[0], [1]])
      void q.add(2)
      vi.advanceTimersByTime(500)
      expect(q.partitions()).toEqual([[0], [1]])
      await q.end(1)
      expect(q.partitions()).toEqual([[0], [1], [2]])
      await q.end(0)
      await q.end(2)
      expect(await Promise.all([stuck, second])).toEqual(['committed', 'committed'])
    })

    test('an old one that ends at last does not let others into the time of a younger one', async () => {
      const q = queue({ patienceMs: 50, maxAtOnce: 9 })
      void q.add(0)
      vi.advanceTimersByTime(50)
      void q.add(1)
      void q.add(2)
      await q.end(0)
      expect(q.partitions()).toEqual([[0], [1]])
      await q.end(1)
      expect(q.partitions()).toEqual([[0], [1], [2]])
    })
  })
})
