// What verdicts decide. Real: the settling of verdicts, listings and deadlines, and the wire format; kept in memory: the rows.
import { describe, expect, it } from 'vitest'
import { lastHeader } from '../../../../src/events/header.ts'
import { decisionId } from '../../../../src/pipeline/ids.ts'
import { createWorld, TOPICS, type Said } from './world.ts'

const confirmed: Said = { verdictId: 'v-1', verdict: 'confirmed' }
const rejected: Said = { verdictId: 'v-1', verdict: 'rejected' }
const held = (brandIds?: string[]) => {
  const world = createWorld(brandIds)
  world.submit(1, 'hold')
  return world
}

describe('a verdict that cannot count', () => {
  const code = (world: ReturnType<typeof held>, said: Said) => {
    const { settlement, tally, made } = world.say(said)
    expect(made).toEqual([])
    expect(settlement.verdicts).toEqual([])
    const letter = settlement.outbox[0]
    expect(letter?.topic).toBe(TOPICS.deadLetters)
    expect(Buffer.from(letter?.value ?? []).toString()).toBe('as it came')
    const header = (name: string) =>
      Buffer.from(lastHeader(letter?.headers ?? {}, `touchstone-error-${name}`) ?? []).toString()
    expect(header('topic')).toBe(TOPICS.verdicts)
    expect([header('code')]).toEqual(tally.deadLetters)
    return `${header('code')}: ${header('message')}`
  }

  it('is a dead letter where listing, decision, revision or case are not known', () => {
    expect(code(held(), { ...confirmed, listingId: 'other' })).toMatch(/^unknown-decision: listingId "other"/)
    const decisionId = '00000000-0000-4000-8000-000000000000'
    expect(code(held(), { ...confirmed, decisionId })).toMatch(/^unknown-decision: decisionId 0{8}/)
    expect(code(held(), { ...confirmed, caseId: 'another' })).toMatch(/^unknown-decision: caseId "another"/)
    const world = held()
    const decisionOfOne = world.last()?.decisionId ?? ''
    world.submit(2, 'hold')
    expect(code(world, { ...confirmed, revision: 2, decisionId: decisionOfOne })).toMatch(
      /^unknown-decision: revision must be 1/,
    )
  })

  it('counts once by its id; the same id with other content is a dead letter', () => {
    const world = held()
    const sent = world.verdictOf(confirmed)
    const { tally } = world.say(sent, sent)
    expect([tally.verdicts, tally.duplicates]).toEqual([['confirmed'], 1])
    expect(world.say({ ...sent, reason: null, note: null }).tally.duplicates).toBe(1)
    expect(code(world, { ...sent, verdict: 'rejected' })).toMatch(/^verdict-reused/)
    expect(world.decisions.map((d) => d.stage)).toEqual(['screening', 'review'])
  })

  it('may be about a decision that an earlier verdict of the same batch made', () => {
    const world = held()
    const first = world.verdictOf(confirmed)
    const { tally, made } = world.say(first, {
      ...first,
      verdictId: 'v-2',
      decisionId: decisionId(first.listingId, 1, 2),
      verdict: 'rejected',
      supersedes: 'v-1',
    })
    expect([tally.deadLetters, made.map((d) => [d.outcome, d.sequence])]).toEqual([
      [],
      [
        ['block', 2],
        ['allow', 3],
      ],
    ])
  })

  it('is passed over where this gate wrote it', () => {
    const world = held()
    const { tally, settlement } = world.tell({ kind: 'ok', value: { kind: 'own' } })
    expect([tally.duplicates, settlement.verdicts, settlement.outbox]).toEqual([1, [], []])
  })

  it('on a revision that no longer stands is recorded and decides nothing', () => {
    const world = held()
    world.submit(2, 'allow')
    const before = world.row()
    const { tally, made } = world.say({ ...confirmed, revision: 1 }, { ...rejected, verdictId: 'v-2', revision: 1 })
    expect([tally.verdicts, made]).toEqual([['confirmed', 'rejected'], []])
    expect(world.row()).toEqual(before)
  })
})

describe('a verdict on what stands', () => {
  it('confirmed blocks: the case is resolved, the clock has nothing left to decide, and no reason has a figure', () => {
    const world = held()
    const { made } = world.say(confirmed)
    expect(made[0]).toMatchObject({ stage: 'review', outcome: 'block', sequence: 2, revision: 1 })
    expect(made[0]).not.toHaveProperty('hold')
    expect(world.row()).toMatchObject({ outcome: 'block', caseId: null, holdUntil: null, sequence: 2 })
    expect([...world.cases.values()]).toEqual(['resolved'])
    expect(made[0]?.reasons.length).toBeGreaterThan(0)
    expect(JSON.stringify(made[0]?.reasons)).not.toMatch(/\d/)
  })

  it('rejected puts it on sale', () => {
    const world = held()
    expect(world.say(rejected).made[0]).toMatchObject({ stage: 'review', outcome: 'allow', sequence: 2 })
    expect(world.row()).toMatchObject({ outcome: 'allow', caseId: null, holdUntil: null })
    expect([...world.cases.values()]).toEqual(['resolved'])
  })

  it('of one brand clears nothing where the case names two; of both, or for all of them, it does', () => {
    const world = held(['nike', 'puma'])
    expect(world.say({ ...rejected, brandId: 'nike' }).made).toEqual([])
    expect(world.row()).toMatchObject({ outcome: 'hold', caseId: expect.any(String) })
    expect(world.say({ ...rejected, verdictId: 'v-2', brandId: 'puma' }).made[0]?.outcome).toBe('allow')
    expect(held(['nike', 'puma']).say(rejected).made[0]?.outcome).toBe('allow')
    expect(held([]).say({ ...rejected, brandId: 'nike' }).made[0]?.outcome).toBe('allow')
  })

  it('confirmed by any brand blocks, whatever the others said', () => {
    const world = held(['nike', 'puma'])
    const made = world.say({ ...rejected, brandId: 'nike' }, { ...confirmed, verdictId: 'v-2', brandId: 'puma' }).made
    expect(made.map((d) => d.outcome)).toEqual(['block'])
    // The second confirmation says nothing new.
    expect(world.say({ ...confirmed, verdictId: 'v-3', brandId: 'adidas' }).made).toEqual([])
  })

  it('cannot-tell is recorded and decides nothing', () => {
    const world = held()
    const before = world.row()
    expect(world.say({ verdictId: 'v-1', verdict: 'cannot-tell' })).toMatchObject({
      made: [],
      tally: { verdicts: ['cannot-tell'] },
    })
    expect(world.row()).toEqual(before)
  })

  it('still counts after the deadline, and where a listing on sale was looked at', () => {
    const world = held()
    world.deadline()
    expect(world.row()).toMatchObject({ outcome: 'allow', caseId: null })
    expect(world.say(confirmed).made[0]).toMatchObject({ outcome: 'block', sequence: 3 })
    expect([...world.cases.values()]).toEqual(['resolved'])
    const sold = createWorld()
    sold.submit(1, 'allow')
    expect(sold.say({ ...rejected, source: 'audit' }).made).toEqual([])
    expect(sold.say({ ...confirmed, verdictId: 'v-2', source: 'audit' }).made[0]?.outcome).toBe('block')
  })

  it('never puts a withdrawn listing back on sale, and is not forgotten when it comes back', () => {
    const world = held()
    world.withdraw(1)
    expect(world.say(rejected).made).toEqual([])
    expect(world.row()).toMatchObject({ outcome: 'hold', caseId: null })
    const sold = createWorld()
    sold.submit(1, 'allow')
    sold.withdraw(1)
    expect(sold.say(confirmed)).toMatchObject({ made: [], tally: { verdicts: ['confirmed'] } })
    sold.submit(2, 'allow')
    expect(sold.last()).toMatchObject({ revision: 2, outcome: 'hold', hold: { onDeadline: 'block' } })
    const undone = createWorld()
    undone.submit(1, 'allow')
    undone.withdraw(1)
    undone.say(confirmed)
    undone.say({ verdictId: 'v-2', verdict: 'cannot-tell', supersedes: 'v-1' })
    undone.submit(2, 'allow')
    expect(undone.last()).toMatchObject({ revision: 2, outcome: 'allow' })
  })

  it('confirmed keeps the next revision from being better than held until someone has looked; rejected frees it', () => {
    const world = held()
    world.say(confirmed)
    world.submit(2, 'allow')
    expect(world.last()).toMatchObject({ revision: 2, outcome: 'hold', hold: { onDeadline: 'block' } })
    expect(world.last()?.caseId).not.toBe(world.decisions[0]?.caseId)
    world.say({ ...rejected, verdictId: 'v-2' })
    expect(world.row()?.outcome).toBe('allow')
    world.submit(3, 'allow')
    expect(world.last()).toMatchObject({ revision: 3, outcome: 'allow' })
  })
})

describe('a verdict that supersedes another', () => {
  it('replaces it: one more decision', () => {
    const world = held()
    world.say(confirmed)
    const { made } = world.say({ verdictId: 'v-2', verdict: 'rejected', supersedes: 'v-1', source: 'appeal' })
    expect(made.map((d) => [d.stage, d.outcome, d.sequence])).toEqual([['review', 'allow', 3]])
  })

  it('undoes it: what stood before stands again, held anew for as long, its case open', () => {
    const world = held()
    const first = world.last()?.hold?.until ?? ''
    world.say(confirmed)
    world.wait(7 * 86_400_000)
    const { made } = world.say({ verdictId: 'v-2', verdict: 'cannot-tell', supersedes: 'v-1' })
    expect(made[0]).toMatchObject({ stage: 'review', outcome: 'hold', hold: { onDeadline: 'allow' } })
    expect(Date.parse(made[0]?.hold?.until ?? '') - Date.parse(first)).toBe(7 * 86_400_000)
    expect(made[0]?.reasons.map((r) => r.code)).toContain('review-taken-back')
    expect([...world.cases.values()]).toEqual(['reopened'])
    expect(world.row()).toMatchObject({ outcome: 'hold', caseId: made[0]?.caseId, holdUntil: made[0]?.hold?.until })
    world.deadline()
    expect(world.last()).toMatchObject({ stage: 'deadline', outcome: 'allow', sequence: 4 })
  })

  it('on an earlier revision of its case undoes it, and speaks only of its own; of another case it does not', () => {
    const world = createWorld()
    world.submit(1, 'hold')
    world.say({ verdictId: 'v-1', verdict: 'confirmed' })
    world.submit(2, 'hold')
    const again = world.say({ verdictId: 'v-2', verdict: 'confirmed' })
    world.submit(3, 'hold')
    // Confirmed closes a case: each of these revisions has its own.
    expect(new Set(world.decisions.map((d) => d.caseId)).size).toBe(3)
    const foreign = world.say({ verdictId: 'v-3', verdict: 'cannot-tell', supersedes: 'v-1' })
    expect([again.settlement.bankLeaves, foreign.settlement.bankLeaves]).toEqual([[], []])

    const carried = createWorld()
    carried.submit(1, 'hold')
    carried.say(
      { verdictId: 'w-1', verdict: 'confirmed', brandId: 'nike' },
      { verdictId: 'w-2', verdict: 'cannot-tell', supersedes: 'w-1' },
    )
    carried.say({ verdictId: 'w-3', verdict: 'cannot-tell' })
    carried.submit(2, 'hold')
    expect(new Set(carried.decisions.map((d) => d.caseId)).size).toBe(1)
    const late = carried.say({ verdictId: 'w-4', verdict: 'cannot-tell', supersedes: 'w-3' })
    expect([late.settlement.bankLeaves, late.made]).toEqual([['w-3'], []])
  })

  it('of a brand disputes what others joined from its revision where it rejects, unless it was taken back before it came', () => {
    const disputes = (...said: Said[]) => held(['nike', 'gucci']).say(...said).settlement.bankDisputes
    const ofGucci = { ...rejected, brandId: 'gucci' }
    expect(disputes(ofGucci)).toMatchObject([{ revision: 1, brandId: 'gucci' }])
    expect(disputes(rejected, { verdictId: 'v-2', verdict: 'confirmed', brandId: 'gucci' })).toEqual([])
    expect(disputes({ verdictId: 'v-2', verdict: 'cannot-tell', supersedes: 'v-1' }, ofGucci)).toEqual([])
  })

  it('means the same in whatever order the two arrive', () => {
    const [one, two] = [held(), held()]
    const replacing: Said = { verdictId: 'v-2', verdict: 'rejected', supersedes: 'v-1' }
    const about = { decisionId: one.last()?.decisionId ?? '' }
    for (const said of [confirmed, replacing]) one.say({ ...said, ...about })
    for (const said of [replacing, confirmed]) two.say({ ...said, ...about })
    expect([one.row()?.outcome, two.row()?.outcome]).toEqual(['allow', 'allow'])
  })
})
