// Edits and withdrawals as ways round the loop, over HTTP: what a person's word on the case still puts into the bank.
// Real: PostgreSQL, log, store, worker, banks, sharp, the HTTP server on loopback. Made up: the goods, the pictures, the policy.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Decision } from '../../src/domain/decision.ts'
import { drawnPicture } from '../support/drawn-pictures.ts'
import { until } from '../support/until.ts'
import {
  call,
  closeReviewing,
  held,
  look,
  openReviewing,
  policy,
  raw,
  say,
  standingOf,
  submitted,
  withdraw,
  type Reviewed,
} from './reviewing.ts'

beforeAll(openReviewing, 120_000)
afterAll(closeReviewing, 60_000)

const HOLDING = { thresholds: { hold: 0.2, block: 1 }, audit: { share: 0, dueSeconds: 60 } }
const dataOf = async (...seeds: number[]) =>
  Promise.all(seeds.map(async (seed) => ({ data: (await drawnPicture(seed)).toString('base64') })))
const OVERT = 'Rolex Submariner 1:1 super clone, best replica'
const offer = async (listingId: string, seeds: number[], more: object = {}) =>
  (
    await submitted(listingId, {
      sellerId: `seller of ${listingId}`,
      title: 'A leather strap',
      images: await dataOf(...seeds),
      ...more,
    })
  ).body

interface Told extends Reviewed {
  detail?: string
  pictures: {
    joined: number
    limited: number
    which: { revision: number; sha256: string }[]
    leftOut: Record<string, number>
  } | null
  stands: Reviewed['stands'] & { withdrawn: boolean }
}
const confirm = async (caseId: string | undefined, more: object = {}, as: Parameters<typeof say>[1] = 'analyst') => {
  const { status, body } = await say(caseId, as, { verdict: 'confirmed', ...more })
  return { status, body: body as Told }
}
interface Kept {
  pictures: { revision: number; ordinal: number; sha256: string }[]
}
const keptOf = async (caseId: string | undefined) =>
  (await call<Kept>('GET', `/v1/cases/${caseId}`, 'analyst')).body.pictures
/** A stranger who shows it is stopped within seconds, or not: asked with a listing of its own each time. */
let asked = 0
const meets = (seed: number, outcome: Decision['outcome']) =>
  until(`picture ${seed} meets ${outcome}`, async () => {
    const decision = await offer(`stranger-${(asked += 1)}`, [seed])
    return decision.outcome === outcome
  })

describe('an edit before anybody has looked', () => {
  it('keeps no fake out of the bank, and puts no rival’s photo in', async () => {
    expect(await offer('rival', [1])).toMatchObject({ outcome: 'allow' })
    const first = await offer('villain', [2], { title: OVERT })
    const edited = await offer('villain', [1], { title: OVERT, revision: 2 })
    expect([first.outcome, edited.outcome, edited.caseId]).toEqual(['hold', 'hold', first.caseId])
    const { body } = await confirm(first.caseId)
    const [own, fake] = await keptOf(first.caseId)
    expect(body.pictures).toMatchObject({
      joined: 1,
      which: [{ revision: 1, ordinal: 0, sha256: fake?.sha256 }],
      leftOut: { elsewhere: 1, earlier: 0 },
    })
    expect(own?.revision).toBe(2)
    await meets(2, 'hold')
    expect(await offer('another rival', [1])).toMatchObject({ outcome: 'allow' })

    // Taken back, all leave that came with it.
    await say(first.caseId, 'analyst', { verdict: 'cannot-tell', supersedes: body.verdictIds[0] })
    await meets(2, 'allow')
  })

  it('frames nobody: what only a revision in between showed counts where the brand is named, until somebody vouches', async () => {
    const first = await offer('framer', [10], { title: OVERT })
    await offer('framer', [11], { title: OVERT, revision: 2 })
    await offer('framer', [12], { title: OVERT, revision: 3 })
    const { body } = await confirm(first.caseId)
    expect(body.pictures).toMatchObject({
      joined: 3,
      which: [{ revision: 3 }, { revision: 2 }, { revision: 1 }],
      limited: 1,
    })
    await meets(10, 'hold')
    await meets(12, 'hold')
    const framed = await offer('framed', [11])
    expect(framed).toMatchObject({ outcome: 'allow', reasons: [] })
    const named = await offer('framed too', [11], { title: 'A box for a watch of Rolex' })
    expect([named.outcome, named.reasons.map(({ code }) => code)]).toEqual([
      'hold',
      expect.arrayContaining(['picture-seen-before']),
    ])
    const waiting = await call<{ items: { imageId: string; source: object }[] }>(
      'GET',
      '/v1/banks/confirmed/images?state=limited',
      'analyst',
    )
    expect(waiting.body.items).toMatchObject([{ source: { by: 'nobody', listingId: 'framer', revision: 2 } }])
    const path = `/v1/banks/confirmed/images/${waiting.body.items[0]?.imageId}/vouch`
    expect((await raw(path, 'analyst', { method: 'POST' })).status).toBe(204)
    await meets(11, 'hold')
  })

  it('is no other beginning: of a case that was opened without pictures what came later is in between', async () => {
    const first = await offer('bare', [], { title: OVERT })
    await offer('bare', [14], { title: OVERT, revision: 2 })
    await offer('bare', [15], { title: OVERT, revision: 3 })
    expect((await confirm(first.caseId)).body.pictures).toMatchObject({ joined: 2, limited: 1 })
  })

  it('of a sample that is stopped for it shows what its case was opened with', async () => {
    await policy({ ...HOLDING, audit: { share: 1, dueSeconds: 60 } })
    const sample = await offer('stopped', [16])
    await policy(HOLDING)
    const held = await offer('stopped', [17], { title: OVERT, revision: 2 })
    await offer('stopped', [18], { title: OVERT, revision: 3 })
    expect([sample.audit, held.outcome, held.caseId]).toEqual([true, 'hold', sample.caseId])
    expect((await confirm(sample.caseId)).body.pictures).toMatchObject({
      which: [{ revision: 3 }, { revision: 2 }],
      limited: 0,
      leftOut: { earlier: 1 },
    })
  })

  it('may be named: a picture of any revision of the case by its sha256, by a rights holder too', async () => {
    const first = await offer('named', [4, 5], { title: OVERT })
    await offer('named', [], { title: OVERT, revision: 2 })
    const [kept] = await keptOf(first.caseId)
    expect(await keptOf(first.caseId)).toMatchObject([{ revision: 1 }, { revision: 1 }])
    const wrong = await confirm(first.caseId, { pictures: [0] })
    expect([wrong.status, wrong.body.detail]).toEqual([
      422,
      'pictures: of revision 2 the case keeps none, and by sha256 those of 1 (got 0)',
    ])
    const { body } = await confirm(first.caseId, { pictures: [kept?.sha256] }, 'rolex')
    expect(body.pictures).toMatchObject({
      joined: 1,
      which: [{ revision: 1, sha256: kept?.sha256 }],
      leftOut: { unnamed: 1 },
    })
  })
})

describe('a listing that its seller has withdrawn', () => {
  it.each(['analyst', 'rolex'] as const)(
    'is confirmed all the same by %s: its pictures join, it gets no decision',
    async (as) => {
      const [listingId, seed] = [`gone-${as}`, as.length + 30]
      const { caseId } = await held(listingId, { images: await dataOf(seed) })
      // A withdrawal may name a revision that nobody has sent.
      await withdraw(listingId, 7)
      const before = await standingOf(listingId)
      const gone = await call<{ items: { caseId: string; dueAt: string | null; revision: number }[] }>(
        'GET',
        '/v1/cases?state=withdrawn',
        as,
      )
      expect(gone.body.items).toMatchObject([{ caseId, dueAt: null, revision: 1 }])
      expect((await call<{ items: unknown[] }>('GET', '/v1/cases', as)).body.items).not.toContainEqual(
        expect.objectContaining({ caseId }),
      )
      const { status, body } = await confirm(caseId, {}, as)
      expect([status, body]).toMatchObject([
        200,
        { decision: null, pictures: { joined: 1 }, stands: { state: 'resolved', outcome: 'hold', withdrawn: true } },
      ])
      expect(await standingOf(listingId)).toEqual(before)
      await meets(seed, 'hold')
      // The first word counts here as well, and a taken back one leaves the case as the withdrawal left it.
      expect((await confirm(caseId, {}, as)).body.code).toBe('already-decided')
      const undone = await say(caseId, as, { verdict: 'cannot-tell', supersedes: body.verdictIds[0] })
      expect(undone.body.stands).toMatchObject({ state: 'withdrawn' })
      await meets(seed, 'allow')
      // Whoever sees no fake in it says so.
      const cleared = await say(caseId, as, { verdict: 'rejected' })
      expect(cleared.body).toMatchObject({ decision: null, stands: { state: 'resolved', outcome: 'hold' } })
      expect(await standingOf(listingId)).toEqual(before)
    },
  )

  it('comes back with other pictures as the same case: one word reaches those before too', async () => {
    const { caseId, decisionId } = await held('back', { images: await dataOf(50) })
    await withdraw('back', 1)
    const again = await offer('back', [51], { sellerId: 'S-1', revision: 2 })
    expect([again.outcome, again.caseId]).toEqual(['hold', caseId])
    expect((await look(caseId, 'analyst')).body).toMatchObject({ state: 'open', dueAt: again.hold?.until })
    expect(await keptOf(caseId)).toMatchObject([{ revision: 2 }, { revision: 1 }])
    // Rolex was asked before it, and is about a leather strap too.
    expect((await call<{ items: unknown[] }>('GET', '/v1/cases', 'rolex')).body.items).toContainEqual(
      expect.objectContaining({ caseId, revision: 2 }),
    )
    expect((await confirm(caseId, { decisionId })).body.code).toBe('case-changed')
    const { body } = await confirm(caseId)
    expect(body).toMatchObject({
      decision: { outcome: 'block' },
      pictures: { joined: 2, which: [{ revision: 2 }, { revision: 1 }], limited: 0 },
      stands: { state: 'resolved', revision: 2, withdrawn: false },
    })
    await meets(50, 'hold')
  })

  it('is told of all the same when it was on sale since and what is held now has a case of its own', async () => {
    await policy({ ...HOLDING, audit: { share: 1, dueSeconds: 60 } })
    const sample = await offer('sold', [52])
    await policy(HOLDING)
    await withdraw('sold', 1)
    expect(await offer('sold', [53], { revision: 2 })).toMatchObject({ outcome: 'allow' })
    const again = await offer('sold', [54], { title: OVERT, revision: 3 })
    expect([again.outcome, again.caseId === sample.caseId]).toEqual(['hold', false])
    const { body } = await confirm(sample.caseId)
    expect(body).toMatchObject({
      decision: null,
      pictures: { joined: 1, which: [{ revision: 1 }] },
      stands: { state: 'resolved', revision: 3, outcome: 'hold', withdrawn: false },
    })
    await meets(52, 'hold')
    expect((await look(again.caseId, 'analyst')).body.state).toBe('open')
    const cleared = await say(again.caseId, 'analyst', { verdict: 'rejected' })
    expect(cleared.body).toMatchObject({ decision: { outcome: 'allow' } })
  })

  it('that was a sample on sale comes back as one that was confirmed: held until somebody has looked', async () => {
    await policy({ ...HOLDING, audit: { share: 1, dueSeconds: 60 } })
    const sample = await offer('sample', [60])
    const undone = await offer('sample-undone', [61])
    await policy(HOLDING)
    expect([sample.outcome, sample.audit]).toEqual(['allow', true])
    for (const { listingId, caseId } of [sample, undone]) {
      await withdraw(listingId, 1)
      const { body } = await confirm(caseId)
      expect(body).toMatchObject({ decision: null, pictures: { joined: 1 } })
      if (listingId !== 'sample-undone') continue
      await say(caseId, 'analyst', { verdict: 'cannot-tell', supersedes: body.verdictIds[0] })
    }
    expect(await offer('sample', [62], { revision: 2 })).toMatchObject({
      outcome: 'hold',
      hold: { onDeadline: 'block' },
    })
    expect(await offer('sample-undone', [63], { revision: 2 })).toMatchObject({ outcome: 'allow' })
  })

  it('shows its pictures to who looks', async () => {
    const { caseId } = await held('seen', { images: await dataOf(70) })
    await withdraw('seen', 3)
    const [kept] = await keptOf(caseId)
    expect((await raw(`/v1/pictures/${kept?.sha256}`, 'rolex')).status).toBe(200)
  })
})
