// What every store must keep: a batch takes effect once and whole, and everyone can ask what became of it.
import { beforeEach, describe, expect, test } from 'vitest'
import type { KeyStore, ListingSummaryReader, RecentDecisions, SessionStore } from '../../src/api/ports.ts'
import type { LabelStore, ModelStore } from '../../src/learning/ports.ts'
import type { DecisionReader, GateStore, Settlement } from '../../src/pipeline/ports.ts'
import type { ReviewStore } from '../../src/pipeline/review/ports.ts'
import type { CaseReader } from '../../src/review/ports.ts'
import type { VerdictStore } from '../../src/pipeline/verdicts/ports.ts'
import type { ReferenceStore } from '../../src/rights/ports.ts'
import { commitAll, decide, decisionOf, GROUP, INPUT, listings, NOTHING } from './store-samples.ts'
import { twoNodes } from './two-nodes.ts'

/** One process's view of the store. */
export interface StoreNode {
  readonly store: GateStore
  readonly verdicts: VerdictStore
  /** A case as it lies there; undefined when there is none. */
  caseOf(caseId: string): Promise<{ state: string; closed: boolean; dueAt: string | null } | undefined>
  readonly review: ReviewStore
  readonly cases: CaseReader
  /** Rows that wait to be published to a topic. */
  waitingFor(topic: string): Promise<number>
  readonly reader: DecisionReader & RecentDecisions
  readonly summaries: ListingSummaryReader
  readonly reference: ReferenceStore
  readonly models: ModelStore
  readonly labels: LabelStore
  readonly keys: KeyStore
  readonly sessions: SessionStore
  /** Removes published feed entries up to now, as retention does; publishes them first. */
  forget(): Promise<void>
}

/** A fresh, empty store that several processes share. */
export interface SharedStore {
  node(): Promise<StoreNode>
  close(): Promise<void>
}

export function gateStoreContract(name: string, start: () => Promise<SharedStore>): void {
  describe(`${name}: deciding`, () => {
    let one: StoreNode
    let two: StoreNode
    beforeEach(async () => {
      ;[one, two] = await twoNodes(start)
    })

    test('two committers of one offset: one wins, the other is told, nothing is doubled', async () => {
      await one.store.place(GROUP, INPUT, 0, 7n)
      const wanted = listings('L', 20)
      const batch = { group: GROUP, topic: INPUT, partition: 0, from: 7n, next: 27n }
      const results = await Promise.all(
        [one, two, one, two].map((node) => node.store.commit(batch, wanted, (standings) => decide(wanted, standings))),
      )
      expect(results.toSorted()).toEqual(['committed', 'moved', 'moved', 'moved'])
      expect(await two.store.place(GROUP, INPUT, 0, 0n)).toBe(27n)
      expect((await one.reader.feed(undefined, 100, undefined)).entries).toHaveLength(20)
    })

    test('a partition that was never read begins where it is told, and stays there', async () => {
      expect(await Promise.all([one.store.place(GROUP, INPUT, 3, 42n), two.store.place(GROUP, INPUT, 3, 42n)])).toEqual(
        [42n, 42n],
      )
      expect(await two.store.place(GROUP, INPUT, 3, 99n)).toBe(42n)
    })

    test('a batch for a partition that nobody placed is refused, not invented', async () => {
      const batch = { group: GROUP, topic: INPUT, partition: 9, from: 0n, next: 1n }
      expect(await one.store.commit(batch, [], () => NOTHING)).toBe('moved')
    })

    test('a settlement that throws leaves nothing, and the same batch can be tried again', async () => {
      const wanted = listings('L', 3)
      await one.store.place(GROUP, INPUT, 0, 0n)
      const batch = { group: GROUP, topic: INPUT, partition: 0, from: 0n, next: 3n }
      const broken = one.store.commit(batch, wanted, () => {
        throw new Error('the settlement broke')
      })
      await expect(broken).rejects.toThrow('the settlement broke')
      expect(await one.store.place(GROUP, INPUT, 0, 0n)).toBe(0n)
      expect(await one.reader.history('L-0')).toBeUndefined()
      expect(await one.store.commit(batch, wanted, (standings) => decide(wanted, standings))).toBe('committed')
    })

    test('a listing that was not asked for cannot be written', async () => {
      await one.store.place(GROUP, INPUT, 0, 0n)
      const foreign = one.store.commit(
        { group: GROUP, topic: INPUT, partition: 0, from: 0n, next: 1n },
        listings('L', 1),
        (standings) => {
          const settled = decide(listings('L', 1), standings)
          return { ...settled, standings: settled.standings.map((s) => ({ ...s, listingId: 'another' })) }
        },
      )
      await expect(foreign).rejects.toThrow('not locked')
      expect(await one.store.place(GROUP, INPUT, 0, 0n)).toBe(0n)
    })

    test('a second screening of one revision cannot be written, whoever tries', async () => {
      await commitAll(one.store, listings('L', 1))
      await two.store.place(GROUP, INPUT, 1, 0n)
      const again = two.store.commit(
        { group: GROUP, topic: INPUT, partition: 1, from: 0n, next: 1n },
        listings('L', 1),
        (standings) => {
          const standing = standings.get('L-0')
          if (standing === undefined) throw new Error('no standing')
          return { ...NOTHING, decisions: [decisionOf(standing, 1)] }
        },
      )
      await expect(again).rejects.toThrow(/unique/)
      expect((await one.reader.history('L-0'))?.decisions).toHaveLength(1)
    })

    test('what stands is read under the lock: revision, sequence, outcome and the hashes that were asked for', async () => {
      await commitAll(one.store, [{ listingId: 'A', revision: 1 }])
      await commitAll(two.store, [{ listingId: 'A', revision: 4 }], { outcome: 'block', marketplace: 'm' })
      let seen: unknown
      const from = await one.store.place(GROUP, INPUT, 0, 0n)
      const wanted = [
        { listingId: 'A', revision: 1 },
        { listingId: 'A', revision: 3 },
        { listingId: 'A', revision: 4 },
        { listingId: 'never-seen', revision: 1 },
      ]
      await one.store.commit(
        { group: GROUP, topic: INPUT, partition: 0, from, next: from + 1n },
        wanted,
        (standings) => {
          seen = [...standings.values()].toSorted((a, b) => (a.listingId < b.listingId ? -1 : 1))
          return NOTHING
        },
      )
      expect(seen).toMatchObject([
        {
          listingId: 'A',
          revision: 4,
          sequence: 2,
          outcome: 'block',
          marketplace: 'm',
          sellerId: 'S-1',
          withdrawnRevision: 0,
          caseId: null,
        },
        { listingId: 'never-seen', revision: 0, sequence: 0, outcome: null, marketplace: null, sellerId: null },
      ])
      const hashes = (seen as { hashes: ReadonlyMap<number, string> }[])[0]?.hashes
      expect([...(hashes ?? [])].map(([revision]) => revision)).toEqual(expect.arrayContaining([1, 4]))
      expect(hashes?.size).toBe(2)
      expect(await one.reader.history('never-seen')).toBeUndefined()
    })

    test('text that strangers write never makes a commit fail', async () => {
      const nasty = [
        'quote " and \\ backslash',
        '{"a":1}',
        'NULL',
        '🎉\u202e𝔫𝔦𝔨𝔢',
        'a,b}{',
        "'; drop table listing; --",
        'x'.repeat(256),
      ]
      const wanted = nasty.map((listingId) => ({ listingId, revision: 2_147_483_647 }))
      await one.store.place(GROUP, INPUT, 0, 0n)
      await one.store.commit({ group: GROUP, topic: INPUT, partition: 0, from: 0n, next: 7n }, wanted, (standings) => {
        const settled = decide(wanted, standings)
        // A span that cuts a character in two leaves half a surrogate pair; evidence may quote U+0000.
        const decisions = settled.decisions.map((d) => ({
          ...d,
          reasons: [{ code: 'c', text: '\ud83c half, \u0000 null' }],
        }))
        return { ...settled, decisions }
      })
      for (const { listingId } of wanted) {
        const stands = await one.reader.standing(listingId, 2_147_483_647)
        expect(stands?.decision).toMatchObject({ listingId, reasons: [{ text: '\ud83c half, \u0000 null' }] })
      }
    })

    test('pictures that were sent inline are not kept, their other fields are', async () => {
      await one.store.place(GROUP, INPUT, 0, 0n)
      const wanted = listings('L', 1)
      await one.store.commit({ group: GROUP, topic: INPUT, partition: 0, from: 0n, next: 1n }, wanted, (standings) => {
        const settled = decide(wanted, standings)
        const images = [{ data: 'QUJD'.repeat(100), sha256: 'ab'.repeat(32) }, { url: 'https://example.org/1.jpg' }]
        return { ...settled, revisions: settled.revisions.map((r) => ({ ...r, listing: { ...r.listing, images } })) }
      })
      expect((await one.reader.history('L-0'))?.revisions[0]?.listing).toMatchObject({
        title: 'Title of L-0',
        images: [{ sha256: 'ab'.repeat(32), dataLength: 400 }, { url: 'https://example.org/1.jpg' }],
      })
    })

    test('a summary shows what was recorded of a revision, and nothing of what was not', async () => {
      await commitAll(one.store, [
        { listingId: 'A', revision: 1 },
        { listingId: 'B', revision: 2 },
      ])
      const wanted = listings('C', 1)
      const from = await one.store.place(GROUP, INPUT, 0, 0n)
      await one.store.commit(
        { group: GROUP, topic: INPUT, partition: 0, from, next: from + 1n },
        wanted,
        (standings) => {
          const settled = decide(wanted, standings)
          const more = { brand: 'Acme "A"', price: { amount: 12.5, currency: 'EUR' } }
          return { ...settled, revisions: settled.revisions.map((r) => ({ ...r, listing: { ...r.listing, ...more } })) }
        },
      )
      const asked = [
        ...wanted,
        { listingId: 'A', revision: 1 },
        { listingId: 'B', revision: 1 },
        { listingId: 'none', revision: 1 },
      ]
      const found = await two.summaries.summaries(asked)
      expect(found.toSorted((x, y) => (x.listingId < y.listingId ? -1 : 1))).toEqual([
        { listingId: 'A', revision: 1, title: 'Title of A', brand: undefined, price: undefined },
        {
          listingId: 'C-0',
          revision: 1,
          title: 'Title of C-0',
          brand: 'Acme "A"',
          price: { amount: 12.5, currency: 'EUR' },
        },
      ])
      expect(await two.summaries.summaries([])).toEqual([])
    })

    test('whoever waits learns what became of the record: pending, decided, refused or nothing', async () => {
      const end = (offset: bigint, listingId: string, revision = 1) =>
        two.reader.endOf(GROUP, INPUT, { partition: 0, offset }, { listingId, revision })
      expect(await end(0n, 'L-0')).toEqual({ kind: 'pending' })
      await one.store.place(GROUP, INPUT, 0, 0n)
      expect(await end(0n, 'L-0')).toEqual({ kind: 'pending' })
      await commitAll(one.store, listings('L', 1))
      expect(await end(0n, 'L-0')).toMatchObject({ kind: 'decided', decision: { listingId: 'L-0', sequence: 1 } })
      expect(await end(1n, 'L-1')).toEqual({ kind: 'pending' })
      const refusal = {
        listingId: 'L-0',
        revision: 1,
        code: 'revision-reused',
        message: 'm',
        path: '',
        at: '2026-01-01T00:00:00Z',
      } as const
      await one.store.commit({ group: GROUP, topic: INPUT, partition: 0, from: 1n, next: 3n }, [], () => ({
        ...NOTHING,
        refusals: [{ refusal, topic: INPUT, partition: 0, offset: 1n }],
      }))
      expect(await end(1n, 'L-0')).toEqual({ kind: 'refused', refusal })
      expect(await end(0n, 'L-0')).toMatchObject({ kind: 'decided' })
      expect(await end(2n, 'a-dead-letter')).toEqual({ kind: 'gone' })
      expect((await one.reader.history('L-0'))?.refusals).toEqual([refusal])
    })

    test('a case opens, goes over to a newer revision and closes; a second open one for a listing is impossible', async () => {
      const change = (caseId: string, what: 'open' | 'carry' | 'withdrawn', revision: number) =>
        ({
          caseId,
          listingId: 'L-0',
          change: what,
          revision,
          brandIds: ['nike'],
          risk: 0.7,
          openedBy: 'hold',
          marketplace: null,
          dueAt: null,
          at: '2026-01-01T00:00:00Z',
        }) as const
      const settleCases = async (cases: Settlement['cases']): Promise<unknown> => {
        const from = await one.store.place(GROUP, INPUT, 0, 0n)
        return one.store.commit(
          { group: GROUP, topic: INPUT, partition: 0, from, next: from + 1n },
          listings('L', 1),
          () => ({ ...NOTHING, cases }),
        )
      }
      await settleCases([
        change('C-1', 'open', 1),
        change('C-1', 'carry', 2),
        change('C-1', 'withdrawn', 2),
        change('C-2', 'open', 3),
      ])
      await expect(settleCases([change('C-3', 'open', 4)])).rejects.toThrow(/unique/)
      await settleCases([change('C-2', 'withdrawn', 3), change('C-3', 'open', 4)])
    })
  })
}
