// Which allowed listings are looked at all the same. Real: settle, decideAlone and the drawing; made up: the assessments.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../../src/domain/policy.ts'
import { topicNames } from '../../../src/events/topics.ts'
import { createDraw } from '../../../src/pipeline/audit.ts'
import { decisionId } from '../../../src/pipeline/ids.ts'
import type { Standing } from '../../../src/pipeline/ports.ts'
import { decideAlone, type TriedListing } from '../../../src/pipeline/deciding.ts'
import { settle, type Withdrawal } from '../../../src/pipeline/settle.ts'
import { assessment, listingOf } from './assessments.ts'

const TOPICS = topicNames('touchstone')
const NOW = new Date('2026-01-01T00:00:00Z')
const WEEK = 604_800
const draw = createDraw('of this store')

function tried(revision: number, outcome: Outcome, share: number): TriedListing {
  const { answer, ...rest } = assessment(outcome)
  return {
    kind: 'listing',
    listing: { ...listingOf('L-1', revision), marketplace: 'demo' },
    bound: false,
    contentHash: `${revision}`.repeat(64).slice(0, 64),
    submittedAt: NOW.toISOString(),
    assessment: { ...rest, answer: { ...answer, audit: { share, dueSeconds: WEEK } } },
  }
}

/** Settles one revision after the other and gives the decision and the case of each. */
function decide(...revisions: (TriedListing | Withdrawal)[]) {
  let row: Standing | undefined
  return revisions.map((value, i) => {
    const record = { key: null, value: null, headers: {}, offset: BigInt(i), appendedAt: NOW }
    const { settlement } = settle(
      [{ record, partition: 0, tried: { kind: 'ok', value } }],
      new Map(row === undefined ? [] : [['L-1', row]]),
      {
        topics: TOPICS,
        topic: TOPICS.listings,
        now: new Date(NOW.getTime() + i * 1_000),
        draw,
        maxDeadLetterBytes: 1 << 20,
      },
    )
    const update = settlement.standings[0]
    if (update === undefined) throw new Error('nothing was settled')
    row = { ...update, hashes: new Map() }
    return { decision: settlement.decisions[0], change: settlement.cases[0], row: update }
  })
}

describe('the audit sample', () => {
  it('goes on sale with a case that nothing waits for', () => {
    const [drawn] = decide(tried(1, 'allow', 1))
    expect(drawn?.decision).toMatchObject({ outcome: 'allow', audit: true, reasons: [], caseId: drawn?.change?.caseId })
    expect(drawn?.decision?.hold).toBeUndefined()
    expect(drawn?.change).toMatchObject({
      change: 'open',
      openedBy: 'audit',
      marketplace: 'demo',
      dueAt: '2026-01-08T00:00:00.000Z',
    })
    expect(drawn?.row).toMatchObject({ outcome: 'allow', caseId: drawn?.change?.caseId, holdUntil: null })
  })

  it.each(['hold', 'block'] as const)(
    'a %s is no sample whatever the share, and its case says what opened it',
    (outcome) => {
      const [stopped] = decide(tried(1, outcome, 1))
      expect(stopped?.decision).toMatchObject({ outcome, audit: false })
      expect(stopped?.change).toMatchObject({ change: 'open', openedBy: outcome, marketplace: 'demo' })
    },
  )

  it('an edit does not end the look, and what an edit makes suspicious waits as a hold', () => {
    const [first, edited, held, after] = decide(
      tried(1, 'allow', 1),
      tried(2, 'allow', 0),
      tried(3, 'hold', 0),
      tried(4, 'block', 0),
    )
    const caseOf = first?.change?.caseId
    expect(edited?.decision).toMatchObject({ outcome: 'allow', audit: true, caseId: caseOf })
    expect(edited?.change).toMatchObject({ change: 'carry', openedBy: null, dueAt: null })
    expect(held?.decision).toMatchObject({ outcome: 'hold', audit: false, caseId: caseOf })
    expect(held?.change).toMatchObject({ change: 'carry', openedBy: 'hold', dueAt: held?.decision?.hold?.until })
    expect(after?.change).toMatchObject({ change: 'carry', openedBy: null, caseId: caseOf })
  })

  it('one that was withdrawn is looked at again where its next revision is drawn or held, and else stays as it is', () => {
    const withdrawn: Withdrawal = { kind: 'withdrawal', identity: { listingId: 'L-1', revision: 1 } }
    const about = (brandId: string, one: TriedListing): TriedListing => ({
      ...one,
      assessment: { ...one.assessment, brandIds: [brandId] },
    })
    const sample = about('gucci', tried(1, 'allow', 1))
    const [first, , drawn] = decide(sample, withdrawn, about('nike', tried(2, 'allow', 1)))
    expect(drawn?.decision).toMatchObject({ caseId: first?.change?.caseId, audit: true, brandIds: ['nike', 'gucci'] })
    expect(drawn?.change).toMatchObject({ change: 'carry', openedBy: null, dueAt: '2026-01-08T00:00:02.000Z' })
    const [before, , held] = decide(sample, withdrawn, about('nike', tried(2, 'hold', 0)))
    expect(held?.decision).toMatchObject({ caseId: before?.change?.caseId, brandIds: ['nike', 'gucci'] })
    expect(held?.change).toMatchObject({ change: 'carry', openedBy: 'hold', dueAt: held?.decision?.hold?.until })

    const [old, , sold, later] = decide(
      sample,
      withdrawn,
      about('nike', tried(2, 'allow', 0)),
      about('nike', tried(3, 'hold', 0)),
    )
    expect(sold?.decision).toMatchObject({ outcome: 'allow', audit: false, brandIds: ['nike'] })
    expect([sold?.decision?.caseId, sold?.change]).toEqual([undefined, undefined])
    expect(later?.decision?.brandIds).toEqual(['nike'])
    expect([later?.change?.change, later?.change?.caseId === old?.change?.caseId]).toEqual(['open', false])
  })

  it('without a share nothing is drawn, and a dry run never tells', () => {
    const [plain] = decide(tried(1, 'allow', 0))
    expect(plain?.decision).toMatchObject({ outcome: 'allow', audit: false })
    expect(plain?.decision?.caseId).toBeUndefined()
    expect(plain?.change).toBeUndefined()
    const dry = decideAlone(tried(1, 'allow', 1), TOPICS, NOW)
    expect(dry).toMatchObject({ outcome: 'allow', audit: false })
    expect(dry.caseId).toBeUndefined()
  })

  it('follows from the secret of the store: with another one, or none, others are drawn', () => {
    const ids = Array.from({ length: 5_000 }, (_, i) => decisionId(`L-${i}`, 1, 1))
    const drawnWith = (secret: string) => new Set(ids.filter((id) => createDraw(secret)(id, 0.1)))
    const own = drawnWith('of this store')
    expect(drawnWith('of this store')).toEqual(own)
    for (const guess of ['', 'of that store']) {
      // A tenth of some 500 by chance: whoever guesses knows nothing of it.
      const common = [...drawnWith(guess)].filter((id) => own.has(id)).length
      expect(common).toBeLessThan(own.size / 4)
    }
  })

  it('draws the share that is asked for, the same every time, and more with a larger share', () => {
    const ids = Array.from({ length: 20_000 }, (_, i) => decisionId(`L-${i}`, 1, 1))
    // 200 expected, standard deviation 14: beyond six of them it is not chance.
    const drawn = ids.filter((id) => draw(id, 0.01)).length
    expect(drawn).toBeGreaterThan(115)
    expect(drawn).toBeLessThan(285)
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(fc.uuid(), share, share, (id, a, b) => {
        const [less, more] = a < b ? [a, b] : [b, a]
        expect(draw(id, 1)).toBe(true)
        expect(draw(id, 0)).toBe(false)
        if (draw(id, less)) expect(draw(id, more)).toBe(true)
      }),
    )
  })
})
