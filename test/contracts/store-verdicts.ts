// What every store must keep of verdicts: each recorded once with what it decides, whoever reads it first.
import { beforeEach, describe, expect, test } from 'vitest'
import type { Decision } from '../../src/domain/decision.ts'
import type { Verdict } from '../../src/domain/verdict.ts'
import type { KnownOfVerdicts, VerdictSettlement } from '../../src/pipeline/verdicts/ports.ts'
import type { SharedStore, StoreNode } from './store.ts'
import { commitAll, decisionOf, NOTHING, outboxRow } from './store-samples.ts'
import { twoNodes } from './two-nodes.ts'

const GROUP = 'verdicts'
const TOPIC = 'test.verdicts.v1'
const EMPTY: VerdictSettlement = { ...NOTHING, verdicts: [] }

export function verdictsContract(name: string, start: () => Promise<SharedStore>): void {
  describe(`${name}: verdicts`, () => {
    let one: StoreNode
    let two: StoreNode
    beforeEach(async () => {
      ;[one, two] = await twoNodes(start)
    })

    const decisionsOf = async (listingId: string): Promise<readonly Decision[]> =>
      (await one.reader.history(listingId))?.decisions ?? []
    const verdictOn = (decision: Decision, verdictId: string, more: Partial<Verdict> = {}): Verdict => ({
      verdictId,
      listingId: decision.listingId,
      revision: decision.revision,
      decisionId: decision.decisionId,
      verdict: 'confirmed',
      by: { subject: 'ann', role: 'analyst' },
      at: '2026-01-01T00:00:00+23:59',
      source: 'review',
      ...more,
    })
    /** Commits one batch of verdicts from where the partition stands. */
    async function record(
      node: StoreNode,
      partition: number,
      wanted: readonly Verdict[],
      settle: (known: KnownOfVerdicts) => VerdictSettlement = () => ({ ...EMPTY, verdicts: wanted }),
    ) {
      const from = await node.store.place(GROUP, TOPIC, partition, 0n)
      const batch = { group: GROUP, topic: TOPIC, partition, from, next: from + 1n }
      return node.verdicts.commit(batch, wanted, settle)
    }
    async function known(wanted: readonly Verdict[]): Promise<KnownOfVerdicts> {
      let seen: KnownOfVerdicts | undefined
      await record(one, 9, wanted, (found) => {
        seen = found
        return EMPTY
      })
      if (seen === undefined) throw new Error('nothing was settled')
      return seen
    }

    test('two readers of one batch: one records it, the other is told, and the decision is made once', async () => {
      await commitAll(one.store, [{ listingId: 'A', revision: 1 }])
      const [screened] = await decisionsOf('A')
      if (screened === undefined) throw new Error('no decision')
      const verdict = verdictOn(screened, 'v-1')
      await one.store.place(GROUP, TOPIC, 0, 5n)
      const batch = { group: GROUP, topic: TOPIC, partition: 0, from: 5n, next: 6n }
      const results = await Promise.all(
        [one, two, one].map((node) =>
          node.verdicts.commit(batch, [verdict], ({ subjects, recorded }) => {
            expect(recorded.size).toBe(0)
            const standing = subjects.get('A')?.standing
            if (standing === undefined) throw new Error('the listing is not known')
            const decision = decisionOf(standing, 1, { stage: 'review', outcome: 'block' })
            const { hashes: _, ...row } = standing
            const after = { ...row, sequence: decision.sequence, outcome: 'block' as const, holdUntil: null }
            return {
              ...EMPTY,
              standings: [after],
              decisions: [decision],
              outbox: [outboxRow(decision)],
              verdicts: [verdict],
            }
          }),
        ),
      )
      expect(results.toSorted()).toEqual(['committed', 'moved', 'moved'])
      expect((await decisionsOf('A')).map((d) => [d.stage, d.sequence])).toEqual([
        ['screening', 1],
        ['review', 2],
      ])
      expect((await one.reader.history('A'))?.current.outcome).toBe('block')
      expect(await two.store.place(GROUP, TOPIC, 0, 0n)).toBe(6n)
    })

    test('one id under two listings at once: one is recorded, the other reads again and then knows it', async () => {
      await commitAll(one.store, [
        { listingId: 'A', revision: 1 },
        { listingId: 'B', revision: 1 },
      ])
      const [[a], [b]] = [await decisionsOf('A'), await decisionsOf('B')]
      if (a === undefined || b === undefined) throw new Error('no decision')
      const results = await Promise.all([
        record(one, 0, [verdictOn(a, 'same'), verdictOn(a, 'x')]),
        record(two, 1, [verdictOn(b, 'x'), verdictOn(b, 'same')]),
      ])
      expect(results.toSorted()).toEqual(['committed', 'moved'])
      const winner = results[0] === 'committed' ? 'A' : 'B'
      const offsets = await Promise.all([0, 1].map((partition) => one.store.place(GROUP, TOPIC, partition, 0n)))
      expect(offsets).toEqual(results.map((result) => (result === 'committed' ? 1n : 0n)))
      const { recorded } = await known([verdictOn(b, 'same')])
      expect([...recorded.values()].map((v) => [v.verdictId, v.listingId])).toEqual([['same', winner]])
    })

    test('what was decided and said is read under the lock; a listing that nobody decided is not known, and not made', async () => {
      await commitAll(one.store, [{ listingId: 'A', revision: 1 }])
      const [first] = await decisionsOf('A')
      if (first === undefined) throw new Error('no decision')
      await record(one, 0, [verdictOn(first, 'on-1')])
      await commitAll(two.store, [{ listingId: 'A', revision: 2 }])
      const second = (await decisionsOf('A'))[1]
      if (second === undefined) throw new Error('no second decision')
      for (const outcome of ['block', 'allow'] as const)
        await record(two, 0, [verdictOn(second, outcome)], ({ subjects }) => {
          const standing = subjects.get('A')?.standing
          if (standing === undefined) throw new Error('the listing is not known')
          const decision = decisionOf(standing, 2, { stage: 'review', outcome })
          const { hashes: _, ...row } = standing
          const after = { ...row, sequence: decision.sequence, outcome, holdUntil: null }
          return { ...EMPTY, standings: [after], decisions: [decision], verdicts: [verdictOn(second, outcome)] }
        })
      const seen = await known([
        verdictOn(first, 'on-1'),
        verdictOn(first, 'new'),
        verdictOn({ ...first, listingId: 'never-seen' }, 'unknown'),
      ])
      expect([...seen.subjects.keys()]).toEqual(['A'])
      const subject = seen.subjects.get('A')
      expect(subject?.standing).toMatchObject({ revision: 2, sequence: 4, outcome: 'allow' })
      // The one that was asked for, the last that no person made, and the last.
      expect(subject?.decisions.map((d) => [d.revision, d.sequence, d.stage])).toEqual([
        [1, 1, 'screening'],
        [2, 2, 'screening'],
        [2, 4, 'review'],
      ])
      expect(subject?.verdicts.map((v) => v.verdictId).toSorted()).toEqual(['allow', 'block', 'on-1'])
      expect([...seen.recorded.keys()]).toEqual(['on-1'])
      expect(seen.recorded.get('on-1')).toEqual(verdictOn(first, 'on-1'))
      expect(await one.reader.history('never-seen')).toBeUndefined()
    })

    test('what a verdict supersedes, or supersedes it, is known whatever its revision, with the case of its decision', async () => {
      for (const revision of [1, 2, 3]) await commitAll(one.store, [{ listingId: 'A', revision }])
      const [first, second] = await decisionsOf('A')
      if (first === undefined || second === undefined) throw new Error('no decision')
      await record(one, 0, [verdictOn(first, 'old'), verdictOn(second, 'back', { supersedes: 'later' })])
      const said = async (verdict: Verdict) =>
        (await known([verdict])).subjects.get('A')?.verdicts.map((v) => [v.verdictId, v.caseId])
      const third = { ...first, decisionId: second.decisionId, revision: 3 }
      expect(await said(verdictOn(third, 'new', { supersedes: 'old' }))).toEqual([['old', first.caseId ?? null]])
      expect(await said(verdictOn(third, 'later'))).toEqual([['back', second.caseId ?? null]])
      expect(await said(verdictOn(third, 'other', { supersedes: 'nothing' }))).toEqual([])
    })

    test('a settlement that throws leaves nothing, nor one that writes a listing that is not known', async () => {
      await commitAll(one.store, [{ listingId: 'A', revision: 1 }])
      const [first] = await decisionsOf('A')
      if (first === undefined) throw new Error('no decision')
      const verdict = verdictOn(first, 'v-1')
      const broken = record(one, 0, [verdict], () => {
        throw new Error('the settlement broke')
      })
      await expect(broken).rejects.toThrow('the settlement broke')
      const unlocked = record(one, 0, [verdict], () => ({
        ...EMPTY,
        verdicts: [verdict],
        decisions: [{ ...first, listingId: 'never-seen', sequence: 2 }],
      }))
      await expect(unlocked).rejects.toThrow('not locked')
      expect((await known([verdict])).recorded.size).toBe(0)
      expect(await one.store.place(GROUP, TOPIC, 0, 0n)).toBe(0n)
    })

    test('a case that a verdict resolves opens again with the due time it had', async () => {
      await commitAll(one.store, [{ listingId: 'A', revision: 1 }])
      const [first] = await decisionsOf('A')
      if (first === undefined) throw new Error('no decision')
      const change = (kind: 'open' | 'resolved' | 'reopened', dueAt: string | null) =>
        record(one, 0, [verdictOn(first, kind)], () => ({
          ...EMPTY,
          cases: [
            {
              caseId: 'case-A',
              listingId: 'A',
              change: kind,
              revision: 1,
              brandIds: ['nike'],
              risk: 0.5,
              openedBy: kind === 'open' ? 'audit' : null,
              marketplace: null,
              dueAt,
              at: '2026-01-01T00:00:00Z',
            },
          ],
        }))
      const states: unknown[] = []
      for (const [kind, dueAt] of [
        ['open', '2026-01-02T00:00:00Z'],
        ['resolved', null],
        ['reopened', null],
      ] as const) {
        expect(await change(kind, dueAt)).toBe('committed')
        states.push(await one.caseOf('case-A'))
      }
      expect(states).toEqual([
        { state: 'open', closed: false, dueAt: '2026-01-02T00:00:00.000Z' },
        { state: 'resolved', closed: true, dueAt: '2026-01-02T00:00:00.000Z' },
        { state: 'open', closed: false, dueAt: '2026-01-02T00:00:00.000Z' },
      ])
    })
  })
}
