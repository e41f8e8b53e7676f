// Verdicts in whatever order, repeated or not: properties that hold for every sequence. Pure, nothing made up but the inputs.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../../../src/domain/policy.ts'
import { VERDICTS } from '../../../../src/domain/verdict.ts'
import { createWorld, type Said } from './world.ts'

const confirmed: Said = { verdictId: 'v-1', verdict: 'confirmed' }
describe('whatever comes, in whatever order and however often', () => {
  const said = fc.record({
    kind: fc.constant('say' as const),
    verdictId: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    verdict: fc.constantFrom(...VERDICTS),
    brandId: fc.constantFrom(null, 'nike', 'puma'),
    supersedes: fc.constantFrom(null, 'a', 'b', 'x'),
    on: fc.nat(),
  })
  const step = fc.oneof(
    { weight: 4, arbitrary: said },
    fc.record({
      kind: fc.constant('submit' as const),
      revision: fc.integer({ min: 1, max: 4 }),
      outcome: fc.constantFrom<Outcome>('allow', 'hold', 'block'),
    }),
    fc.record({ kind: fc.constant('withdraw' as const), revision: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('deadline' as const) }),
  )

  it('sequences are dense, one outcome stands, and a case is open only where it does not allow', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const world = createWorld(['nike', 'puma'])
        world.submit(1, 'hold')
        for (const one of steps) {
          const before = world.last()
          if (one.kind === 'submit') world.submit(one.revision, one.outcome)
          else if (one.kind === 'withdraw') world.withdraw(one.revision)
          else if (one.kind === 'deadline') world.deadline()
          else {
            const about = world.decisions[one.on % world.decisions.length]
            const { tally, settlement } = world.say({
              verdictId: one.verdictId,
              verdict: one.verdict,
              brandId: one.brandId,
              supersedes: one.supersedes === one.verdictId ? null : one.supersedes,
              revision: about?.revision ?? 1,
            })
            expect(tally.verdicts.length + tally.deadLetters.length + tally.duplicates).toBe(1)
            expect(settlement.outbox).toHaveLength(settlement.decisions.length + tally.deadLetters.length)
          }
          const [row, last] = [world.row(), world.last()]
          if (row === undefined || last === undefined) throw new Error('the listing is gone')
          expect(world.decisions.map((d) => d.sequence)).toEqual(world.decisions.map((_, i) => i + 1))
          expect(last.revision).toBeGreaterThanOrEqual(before?.revision ?? 1)
          expect([row.revision, row.sequence]).toEqual([last.revision, last.sequence])
          // What was confirmed after its seller had withdrawn it stands blocked, without a decision.
          const isWithdrawn = row.withdrawnRevision >= row.revision
          expect([last.outcome, ...(isWithdrawn && last.outcome === 'allow' ? ['block'] : [])]).toContain(row.outcome)
          expect(row.holdUntil === null || row.outcome === 'hold').toBe(true)
          if (row.outcome === 'hold' && row.withdrawnRevision < row.revision)
            expect([row.holdUntil, row.caseId]).toEqual([last.hold?.until, last.caseId])
          const open = [...world.cases].filter(([, change]) => ['open', 'carry', 'reopened'].includes(change))
          expect(open.map(([caseId]) => caseId)).toEqual(row.caseId === null ? [] : [row.caseId])
          if (row.outcome === 'allow') expect(row.caseId).toBeNull()
        }
      }),
    )
  })

  it('the verdicts on one revision come to the same outcome in any order, repeated or not', () => {
    const all = fc.uniqueArray(said, { selector: (s) => s.verdictId, minLength: 1 })
    const shuffled = all.chain((list) =>
      fc.tuple(
        fc.constant(list),
        fc.shuffledSubarray(list, { minLength: list.length }),
        fc.array(fc.constantFrom(...list)),
      ),
    )
    fc.assert(
      fc.property(shuffled, ([list, other, again]) => {
        const outcomes = [list, [...other, ...again]].map((order) => {
          const world = createWorld(['nike', 'puma'])
          world.submit(1, 'hold')
          const first = world.verdictOf(confirmed)
          for (const { verdictId, verdict, brandId, supersedes } of order)
            world.say({
              ...first,
              verdictId,
              verdict,
              brandId,
              supersedes: supersedes === verdictId ? null : supersedes,
            })
          return [world.row()?.outcome, world.row()?.caseId === null]
        })
        expect(outcomes[0]).toEqual(outcomes[1])
      }),
    )
  })
})
