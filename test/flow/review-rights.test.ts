// Rights holders see and say what is theirs; samples of what is on sale are looked at.
// Real: PostgreSQL, log, store, worker, publisher, signals, brands, the HTTP server on loopback. Made up: the goods and the policy.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDraw } from '../../src/pipeline/audit.ts'
import type { Decision } from '../../src/domain/decision.ts'
import {
  auditSecret,
  call,
  closeReviewing,
  held,
  look,
  metricsText,
  openReviewing,
  policy,
  say,
  submitted,
} from './reviewing.ts'

beforeAll(openReviewing, 120_000)
afterAll(closeReviewing, 60_000)

describe('a rights holder', () => {
  it('sees only its own in a case of several brands, and speaks for its own brand', async () => {
    const decision = await held('several', {
      title: 'Rolex and Omega watches, 1:1 super clone replica',
      brand: 'Rolex',
    })
    const { body: whole } = await look(decision.caseId, 'analyst')
    expect(whole.brandIds.toSorted()).toEqual(['omega', 'rolex'])
    const unclear = await say(decision.caseId, 'both', { verdict: 'rejected' })
    expect([unclear.status, unclear.body.path]).toEqual([422, '/brandId'])
    const foreign = await say(decision.caseId, 'rolex', { verdict: 'rejected', brandId: 'omega' })
    expect([foreign.status, foreign.body.path]).toEqual([422, '/brandId'])

    const first = await say(decision.caseId, 'rolex', { verdict: 'rejected', note: 'our dealer in Basel' })
    expect(first.body).toMatchObject({ status: 'recorded', decision: null, stands: { state: 'open', outcome: 'hold' } })
    const again = await say(decision.caseId, 'rolex', { verdict: 'confirmed' })
    expect([again.status, again.body.code]).toEqual([409, 'already-decided'])

    const { text, body } = await look(decision.caseId, 'omega')
    expect(body.brandIds).toEqual(['omega'])
    expect(body.verdicts).toEqual([])
    expect(body.listing.seller).toBeUndefined()
    expect(whole.listing.seller).toMatchObject({ complaintCount: 3 })
    expect(text).not.toContain('our dealer')
    expect(text).not.toMatch(/"rolex"/)
    const stranger = await say(decision.caseId, 'omega', { verdict: 'confirmed', supersedes: first.body.verdictIds[0] })
    expect([stranger.status, stranger.body.path]).toEqual([422, '/supersedes'])

    const last = await say(decision.caseId, 'both', { verdict: 'rejected', brandId: 'omega' })
    expect(last.body).toMatchObject({ decision: { outcome: 'allow' }, stands: { state: 'resolved' } })
    expect((await look(decision.caseId, 'omega')).body.verdicts).toHaveLength(1)
  })

  it('does not learn of cases of others, whichever way it asks', async () => {
    const decision = await held('foreign')
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['POST', '/claim', { seconds: 60 }],
      ['POST', '/verdict', { verdict: 'confirmed', decisionId: decision.decisionId }],
    ] as const) {
      const answer = await call<{ code: string }>(method, `/v1/cases/${decision.caseId}${path}`, 'omega', body)
      expect([answer.status, answer.body.code]).toEqual([404, 'not-found'])
    }
    for (const query of ['', '?state=any', '?brand=rolex&state=any', '?sort=risk']) {
      const { body } = await call<{ items: { caseId: string }[] }>('GET', `/v1/cases${query}`, 'omega')
      expect(body.items.some((one) => one.caseId === decision.caseId)).toBe(false)
    }
    const own = await call<{ items: { caseId: string }[] }>('GET', '/v1/cases?brand=rolex&limit=200', 'rolex')
    expect(own.body.items.some((one) => one.caseId === decision.caseId)).toBe(true)
  })

  it('reads of a verdict for all brands what was said, not its words', async () => {
    const decision = await held('words')
    await say(decision.caseId, 'analyst', { verdict: 'confirmed', reason: 'as with that other brand', note: 'secret' })
    const { body } = await look(decision.caseId, 'rolex')
    expect(body.verdicts).toMatchObject([
      { verdict: 'confirmed', reason: null, note: null, by: { subject: 'analyst' } },
    ])
  })
})

describe('the audit sample', () => {
  it('goes on sale with a case; confirmed it is blocked, taken back it is on sale and looked at again', async () => {
    await policy({ thresholds: { hold: 1, block: 1 }, audit: { share: 1, dueSeconds: 60 } })
    const { body: drawn } = await call<Decision>('POST', '/v1/listings', 'ingest', {
      listingId: 'drawn',
      revision: 1,
      sellerId: 'S-1',
      title: 'Handmade ceramic mug',
    })
    expect(drawn).toMatchObject({ outcome: 'allow', audit: true })
    expect((await look(drawn.caseId, 'analyst')).body).toMatchObject({ state: 'open', openedBy: 'audit' })
    const first = await say(drawn.caseId, 'analyst', { verdict: 'confirmed' })
    expect(first.body).toMatchObject({ decision: { outcome: 'block' }, stands: { state: 'resolved' } })
    const undone = await say(drawn.caseId, 'analyst', { verdict: 'cannot-tell', supersedes: first.body.verdictIds[0] })
    expect(undone.body).toMatchObject({ decision: { outcome: 'allow' }, stands: { state: 'open', outcome: 'allow' } })
    const last = await say(drawn.caseId, 'analyst', { verdict: 'rejected' })
    expect(last.body).toMatchObject({ stands: { state: 'resolved', outcome: 'allow' } })
    expect((await look(drawn.caseId, 'analyst')).body.verdicts.map((v) => v.source)).toEqual([
      'audit',
      'audit',
      'audit',
    ])

    const metrics = await metricsText()
    expect(metrics).toMatch(/^touchstone_audits_total 1$/m)
    expect(metrics).toMatch(/^touchstone_appeals_total 0$/m)
    expect(metrics).toMatch(/^touchstone_verdicts_total\{verdict="rejected"\} [1-9]/m)
    expect(metrics).toMatch(/^touchstone_open_cases [1-9]/m)
  })

  it('is drawn with the secret of the store, which no answer has', async () => {
    await policy({ thresholds: { hold: 1, block: 1 }, audit: { share: 0.5, dueSeconds: 60 } })
    const secret = await auditSecret()
    const [draw, public_] = [createDraw(secret), createDraw('')]
    const lots = await Promise.all(
      Array.from({ length: 24 }, (_, i) => submitted(`lot-${i}`, { title: 'Handmade ceramic mug' })),
    )
    const decisions = lots.map(({ body }) => body)
    const ids = decisions.map(({ decisionId }) => decisionId)
    const drawn = decisions.map(({ audit }) => audit)
    expect(drawn).toEqual(ids.map((id) => draw(id, 0.5)))
    expect(drawn).not.toEqual(ids.map((id) => public_(id, 0.5)))
    expect(lots.map(({ text }) => text).join()).not.toContain(secret)
    await Promise.all(decisions.filter((d) => d.audit).map((d) => say(d.caseId, 'analyst', { verdict: 'rejected' })))
  })
})
