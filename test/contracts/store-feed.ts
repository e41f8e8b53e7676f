// What every feed of decisions must keep: complete, in order per listing, resumable at any entry, and for each marketplace only its own.
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import type { FeedEntry } from '../../src/pipeline/ports.ts'
import type { SharedStore, StoreNode } from './store.ts'
import { commitAll, listings } from './store-samples.ts'
import { twoNodes } from './two-nodes.ts'

interface Decided {
  readonly listingId: string
  readonly revision: number
  readonly sequence: number
}

const dataOf = (entry: FeedEntry): Decided => entry.data as Decided
const nameOf = (entry: FeedEntry): string => `${dataOf(entry).listingId}@${dataOf(entry).revision}`

/** Reads to the end, page by page, as a marketplace would. */
async function readAll(node: StoreNode, after?: string, marketplace?: string, limit = 7): Promise<FeedEntry[]> {
  const all: FeedEntry[] = []
  for (let cursor = after; ;) {
    const { entries, next } = await node.reader.feed(cursor, limit, marketplace)
    if (entries.length === 0 && next === cursor) return all
    all.push(...entries)
    cursor = next
  }
}

export function feedContract(name: string, start: () => Promise<SharedStore>): void {
  describe(`${name}: the feed`, () => {
    let one: StoreNode
    let two: StoreNode
    beforeEach(async () => {
      ;[one, two] = await twoNodes(start)
    })

    test('a cursor that the feed did not give out is refused, whatever it says', async () => {
      await commitAll(one.store, listings('L', 3))
      const beyond = Buffer.from('[1,0,0,99,0]').toString('base64url')
      const tooMany = Buffer.from('[1,0,0,0,0,0]').toString('base64url')
      const handmade = [
        '',
        ' ',
        'x',
        '!!',
        '[]',
        '{}',
        'bnVsbA',
        ...[
          '[2,0]',
          '[1,-1]',
          '[1,0.5]',
          '[1,1e3]',
          '[1,"0"]',
          '[1, 0]',
          '[1,null]',
          '{"v":1}',
          '[1,9007199254740993]',
        ].map((text) => Buffer.from(text).toString('base64url')),
        beyond,
        tooMany,
        'A'.repeat(100_000),
      ]
      for (const cursor of handmade) {
        await expect(one.reader.feed(cursor, 5, undefined), cursor.slice(0, 40)).rejects.toMatchObject({
          code: 'bad-cursor',
        })
      }
      await fc.assert(
        fc.asyncProperty(fc.string({ maxLength: 60 }), async (cursor) => {
          await expect(one.reader.feed(cursor, 5, undefined)).rejects.toMatchObject({ code: 'bad-cursor' })
        }),
        { numRuns: 50 },
      )
    })

    test('a reader misses nothing while late committers write, and every listing comes in order', async () => {
      const writers = Array.from({ length: 4 }, async (_, lane) => {
        for (let batch = 0; batch < 12; batch++) {
          const node = lane % 2 === 0 ? one : two
          // Half of the listings come back with a new revision, so that order can be seen.
          const wanted = [...listings(`${lane}-new-${batch}`, 6), ...listings(`${lane}-again`, 6, batch + 1)]
          await commitAll(node.store, wanted, {}, lane)
        }
      })
      let writing = true
      const done = Promise.all(writers).finally(() => (writing = false))
      const seen: FeedEntry[] = []
      let cursor: string | undefined
      for (let last = false; ; last = !writing) {
        const page = await two.reader.feed(cursor, 10, undefined)
        seen.push(...page.entries)
        if (last && page.entries.length === 0) break
        cursor = page.next
      }
      await done
      expect(seen).toHaveLength(4 * 12 * 12)
      expect(new Set(seen.map(nameOf)).size).toBe(seen.length)
      const last = new Map<string, number>()
      for (const entry of seen) {
        const { listingId, sequence } = dataOf(entry)
        expect(sequence).toBe((last.get(listingId) ?? 0) + 1)
        last.set(listingId, sequence)
      }
    })

    test('it resumes after any entry and at any page size with exactly the rest', async () => {
      for (let batch = 1; batch <= 5; batch++)
        await commitAll(batch % 2 === 0 ? one.store : two.store, listings('L', 9, batch))
      const all = await readAll(one, undefined, undefined, 1_000)
      expect(all).toHaveLength(45)
      await fc.assert(
        fc.asyncProperty(fc.nat(all.length - 1), fc.integer({ min: 1, max: 50 }), async (index, limit) => {
          const rest = await readAll(two, all[index]?.cursor, undefined, limit)
          expect(rest.map(nameOf)).toEqual(all.slice(index + 1).map(nameOf))
        }),
        { numRuns: 40 },
      )
    })

    test('older entries come before newer ones of other partitions', async () => {
      for (let batch = 0; batch < 6; batch++) await commitAll(one.store, listings(`batch-${batch}`, 8))
      const batches = (await readAll(one)).map((entry) => Number(dataOf(entry).listingId.split('-')[1]))
      expect(batches).toEqual(batches.toSorted((a, b) => a - b))
    })

    test('a reader bound to a marketplace sees its own entries only, and passes the others for good', async () => {
      await commitAll(one.store, listings('mine', 5), { marketplace: 'mine' })
      await commitAll(one.store, listings('theirs', 30), { marketplace: 'theirs' })
      await commitAll(one.store, listings('nobody', 5))
      await commitAll(one.store, listings('mine-later', 5), { marketplace: 'mine' })
      const mine = await readAll(one, undefined, 'mine', 2)
      expect(mine.map(nameOf).toSorted()).toEqual(
        [...listings('mine', 5), ...listings('mine-later', 5)].map((l) => `${l.listingId}@1`).toSorted(),
      )
      expect(await readAll(one, undefined, '')).toEqual([])
      expect(await readAll(one)).toHaveLength(45)
      const end = (await one.reader.feed(undefined, 100, undefined)).next
      expect((await one.reader.feed(undefined, 100, 'nobody at all')).next).toBe(end)
      const recent = await one.reader.recent(3, 'mine')
      expect(recent.entries.map((entry) => dataOf(entry).listingId.startsWith('mine-later'))).toEqual([
        true,
        true,
        true,
      ])
    })

    test('the newest entries come oldest first, each cursor goes on with the rest, and the end is the end', async () => {
      expect(await one.reader.recent(5, undefined)).toMatchObject({ entries: [] })
      for (let batch = 0; batch < 4; batch++) await commitAll(one.store, listings(`b${batch}`, 10))
      const all = await readAll(one)
      const recent = await two.reader.recent(12, undefined)
      expect(recent.entries.map(nameOf)).toEqual(all.slice(-12).map(nameOf))
      for (const [i, entry] of recent.entries.entries()) {
        expect((await readAll(one, entry.cursor)).map(nameOf)).toEqual(all.slice(all.length - 11 + i).map(nameOf))
      }
      expect(await readAll(one, recent.next)).toEqual([])
    })

    test('a cursor that retention has overtaken says so; without one the feed begins at what is held', async () => {
      await commitAll(one.store, listings('old', 20))
      const early = (await one.reader.feed(undefined, 5, undefined)).next
      const end = (await one.reader.feed(undefined, 100, undefined)).next
      await one.forget()
      await commitAll(one.store, listings('new', 3))
      await expect(one.reader.feed(early, 5, undefined)).rejects.toMatchObject({ code: 'cursor-expired' })
      expect(await readAll(one)).toHaveLength(3)
      expect(await readAll(one, end)).toHaveLength(3)
      expect((await one.reader.recent(50, undefined)).entries).toHaveLength(3)
    })
  })
}
