// What every store must keep of holds: when their deadline passes they are decided, each once, on whichever node.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SharedStore, StoreNode } from './store.ts'
import { commitAll, decisionOf, listings, NOTHING, outboxRow } from './store-samples.ts'

export function holdsContract(name: string, start: () => Promise<SharedStore>): void {
  describe(`${name}: holds that reached their deadline`, () => {
    let shared: SharedStore
    beforeEach(async () => {
      shared = await start()
    })
    afterEach(() => shared.close())

    test('two nodes decide each due hold once, and none that is not due', async () => {
      const [one, two] = [await shared.node(), await shared.node()]
      expect(await one.store.nextDeadline()).toBeUndefined()
      await commitAll(one.store, listings('later', 5), {
        outcome: 'hold',
        holdUntil: new Date(Date.now() + 3_600_000).toISOString(),
      })
      expect(await one.store.nextDeadline()).toBeGreaterThan(3_000_000)
      await commitAll(one.store, listings('due', 60), {
        outcome: 'hold',
        holdUntil: new Date(Date.now() - 1_000).toISOString(),
      })
      expect(await one.store.nextDeadline()).toBe(0)
      const release = (node: StoreNode): Promise<number> =>
        node.store.settleDue(7, (due, now) => {
          const decided = due.map(({ standing, decision }) => {
            expect(decision).toMatchObject({
              listingId: standing.listingId,
              outcome: 'hold',
              sequence: standing.sequence,
            })
            expect(standing.hashes.get(decision.revision)).toBe(decision.contentHash)
            expect(Math.abs(now.getTime() - Date.now())).toBeLessThan(60_000)
            return decisionOf(standing, decision.revision, { stage: 'deadline', outcome: 'block' })
          })
          return {
            ...NOTHING,
            decisions: decided,
            standings: decided.map((d) => ({ ...standingAfter(d), holdUntil: null })),
            outbox: decided.map((d) => outboxRow(d)),
          }
        })
      const counts = await Promise.all(
        [one, two, one, two].map(async (node) => {
          let total = 0
          // A node that finds nothing but rows of the other gets 0 and comes again.
          for (let idle = 0; idle < 20;) {
            const count = await release(node)
            total += count
            idle = count === 0 ? idle + 1 : 0
          }
          return total
        }),
      )
      expect(counts.reduce((a, b) => a + b, 0)).toBe(60)
      for (const { listingId } of listings('due', 60)) {
        const history = await one.reader.history(listingId)
        expect(history?.decisions.map((d) => [d.sequence, d.stage, d.outcome])).toEqual([
          [1, 'screening', 'hold'],
          [2, 'deadline', 'block'],
        ])
      }
      expect((await one.reader.history('later-0'))?.decisions).toHaveLength(1)
      expect((await one.reader.feed(undefined, 1_000, undefined)).entries).toHaveLength(65 + 60)
    })
  })
}

const standingAfter = (d: { listingId: string; revision: number; sequence: number }) =>
  ({
    listingId: d.listingId,
    marketplace: null,
    sellerId: 'S-1',
    revision: d.revision,
    sequence: d.sequence,
    outcome: 'block',
    withdrawnRevision: 0,
    caseId: null,
  }) as const
