// Reviewers look at what the gate stopped, and a seller answers, all over HTTP.
// Real: PostgreSQL, log, store, worker, publisher, signals, brands, the HTTP server on loopback. Made up: the goods and the policy.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { randomUUID } from 'node:crypto'
import { GATE_SOURCE } from '../../src/pipeline/sources.ts'
import {
  call,
  closeReviewing,
  feedOf,
  held,
  type keys,
  look,
  openReviewing,
  ownVerdictsRead,
  type Reviewed,
  say,
  verdictEvents,
} from './reviewing.ts'

beforeAll(openReviewing, 120_000)
afterAll(closeReviewing, 60_000)

describe('a case', () => {
  it('is in the queue, and a rejection puts its listing on sale: on the feed, and on the topic of verdicts', async () => {
    const decision = await held('cleared')
    const queue = await call<{ items: { caseId: string; openedBy: string; title: string }[] }>(
      'GET',
      '/v1/cases?openedBy=hold&marketplace=demo&sort=risk',
      'analyst',
    )
    expect(queue.body.items.find((one) => one.caseId === decision.caseId)).toMatchObject({
      openedBy: 'hold',
      outcome: 'hold',
      marketplace: 'demo',
      title: 'Rolex Submariner 1:1 super clone, best replica',
    })
    const verdictId = randomUUID()
    const word = {
      verdictId,
      verdict: 'rejected',
      reason: 'genuine',
      note: 'serial checked',
      decisionId: decision.decisionId,
    }
    const first = await say(decision.caseId, 'analyst', word)
    expect(first.body).toMatchObject({
      status: 'recorded',
      verdictIds: [verdictId],
      decision: { outcome: 'allow', stage: 'review', sequence: 2 },
      stands: { state: 'resolved', outcome: 'allow', sequence: 2 },
    })
    // A request that is repeated counts once; another content under its id is refused.
    expect((await say(decision.caseId, 'analyst', word)).body).toMatchObject({
      status: 'known',
      stands: { sequence: 2 },
    })
    const reused = await say(decision.caseId, 'analyst', { ...word, verdict: 'confirmed' })
    expect([reused.status, reused.body.code]).toEqual([409, 'verdict-reused'])

    expect((await feedOf('cleared')).map((d) => [d.stage, d.outcome, d.sequence])).toEqual([
      ['screening', 'hold', 1],
      ['review', 'allow', 2],
    ])
    const events = await verdictEvents('cleared')
    expect(events).toMatchObject([{ from: GATE_SOURCE, verdictId, verdict: 'rejected', caseId: decision.caseId }])
    // Our own reader passes over it: nothing is decided a second time.
    await ownVerdictsRead()
    expect(await feedOf('cleared')).toHaveLength(2)
    const { body } = await look(decision.caseId, 'analyst')
    expect(body).toMatchObject({ state: 'resolved', verdicts: [{ verdict: 'rejected', note: 'serial checked' }] })
    expect(body.decisions.map((d) => d.sequence)).toEqual([1, 2])
  })

  it('that is confirmed blocks; the next word is refused with what stands; in its place it holds again', async () => {
    const decision = await held('confirmed')
    const first = await say(decision.caseId, 'rolex', { verdict: 'confirmed', reason: 'no such model' })
    expect(first.body).toMatchObject({
      decision: { outcome: 'block' },
      stands: { outcome: 'block', state: 'resolved' },
    })
    const second = await say(decision.caseId, 'analyst', { verdict: 'rejected' })
    expect(second.body).toMatchObject({
      status: 409,
      code: 'already-decided',
      stands: { outcome: 'block', sequence: 2 },
    })

    const [supersedes] = first.body.verdictIds
    const undone = await say(decision.caseId, 'rolex', { verdict: 'cannot-tell', supersedes })
    expect(undone.body).toMatchObject({ decision: { outcome: 'hold' }, stands: { outcome: 'hold', state: 'open' } })
    expect(undone.body.decision?.hold?.until).toBeDefined()
    const late = await say(decision.caseId, 'rolex', { verdict: 'rejected', supersedes })
    expect([late.status, late.body.code]).toEqual([409, 'already-decided'])
    expect((await feedOf('confirmed')).map((d) => d.outcome)).toEqual(['hold', 'block', 'hold'])
    expect((await verdictEvents('confirmed')).map((v) => v.verdict)).toEqual(['confirmed', 'cannot-tell'])
  })

  it('opens again when its seller answers, and then a new word replaces the one before by itself', async () => {
    const decision = await held('answered')
    const path = '/v1/listings/answered/appeals'
    await say(decision.caseId, 'analyst', { verdict: 'confirmed' })
    const text = 'Here is the invoice of the authorised dealer.'
    expect((await call('POST', path, 'other', { text })).status).toBe(404)
    expect((await call('POST', path, 'ingest', { text: '  ' })).status).toBe(422)
    expect((await call('POST', path, 'ingest', { text: 'x'.repeat(5_001) })).status).toBe(422)
    expect((await call('POST', path, 'ingest', { text })).body).toMatchObject({
      state: 'open',
      outcome: 'block',
      sequence: 2,
    })
    expect((await call('POST', path, 'ingest', { text })).body).toMatchObject({ state: 'open', sequence: 2 })
    const { body } = await look(decision.caseId, 'analyst')
    expect(body).toMatchObject({ state: 'open', openedBy: 'appeal', answers: [{ text }] })
    expect(body.dueAt > new Date().toISOString()).toBe(true)
    expect((await look(decision.caseId, 'rolex')).body.answers).toMatchObject([{ text: null }])

    const upheld = await say(decision.caseId, 'analyst2', { verdict: 'cannot-tell' })
    expect(upheld.body.stands).toMatchObject({ state: 'open', outcome: 'block' })
    const cleared = await say(decision.caseId, 'analyst2', { verdict: 'rejected' })
    expect(cleared.body).toMatchObject({
      decision: { outcome: 'allow' },
      stands: { state: 'resolved', outcome: 'allow' },
    })
    expect((await look(decision.caseId, 'analyst')).body.verdicts.at(-1)).toMatchObject({
      source: 'appeal',
      verdict: 'rejected',
    })
    const pointless = await call<Reviewed>('POST', path, 'ingest', { text: 'Thanks' })
    expect([pointless.status, pointless.body.code]).toEqual([409, 'nothing-to-appeal'])
  })

  it('is taken back or asked about again by analysts only', async () => {
    const decision = await held('reopened')
    const reopen = (as: keyof typeof keys, body: object) =>
      call<Reviewed>('POST', `/v1/cases/${decision.caseId}/reopen`, as, body)
    expect((await reopen('analyst', { reason: 'too early' })).body.code).toBe('case-changed')
    await say(decision.caseId, 'rolex', { verdict: 'rejected' })
    expect((await reopen('rolex', { reason: 'mine' })).status).toBe(403)
    const asked = await reopen('analyst', { reason: 'a second look' })
    expect(asked.body).toMatchObject({ decision: null, stands: { state: 'open', outcome: 'allow' } })
    await say(decision.caseId, 'rolex', { verdict: 'confirmed' })
    const back = await reopen('analyst', { reason: 'wrong case', takeBack: true })
    expect(back.body).toMatchObject({ decision: { outcome: 'hold' }, stands: { state: 'open', outcome: 'hold' } })
    expect((await look(decision.caseId, 'analyst')).body.openedBy).toBe('review')
  })

  it('is one reviewer’s at a time', async () => {
    const decision = await held('claimed')
    const claim = (as: keyof typeof keys, seconds: number) =>
      call<{ claimedUntil: string | null; code?: string }>('POST', `/v1/cases/${decision.caseId}/claim`, as, {
        seconds,
      })
    expect((await claim('omega', 60)).status).toBe(404)
    expect((await claim('analyst', 60)).body.claimedUntil).not.toBeNull()
    const [taken] = [await claim('rolex', 60)]
    expect([taken.status, taken.body.code]).toEqual([409, 'case-claimed'])
    const mine = async (as: keyof typeof keys, claimed: string) =>
      (await call<{ items: { caseId: string }[] }>('GET', `/v1/cases?claimed=${claimed}`, as)).body.items.some(
        (one) => one.caseId === decision.caseId,
      )
    expect([await mine('analyst', 'me'), await mine('analyst2', 'me'), await mine('analyst2', 'yes')]).toEqual([
      true,
      false,
      true,
    ])
    expect((await look(decision.caseId, 'rolex')).body.claim).toMatchObject({ by: null })
    expect((await claim('analyst', 0)).body.claimedUntil).toBeNull()
    expect((await claim('rolex', 60)).status).toBe(200)
    await say(decision.caseId, 'rolex', { verdict: 'rejected' })
    expect((await claim('rolex', 60)).body.code).toBe('case-changed')
  })

  it('went over to a newer revision: a word on the one that was looked at is refused', async () => {
    const decision = await held('edited')
    await held('edited', { revision: 2, title: 'Rolex Daytona 1:1 super clone, best replica' })
    const late = await say(decision.caseId, 'analyst', { verdict: 'rejected', decisionId: decision.decisionId })
    expect(late.body).toMatchObject({ code: 'case-changed', stands: { revision: 2, outcome: 'hold' } })
    const foreign = await say(decision.caseId, 'analyst', { verdict: 'rejected', decisionId: randomUUID() })
    expect([foreign.status, foreign.body.code]).toEqual([422, 'unknown-decision'])
    expect((await say(decision.caseId, 'analyst', { verdict: 'rejected' })).body.stands).toMatchObject({
      revision: 2,
      outcome: 'allow',
    })
  })

  it('a word that does not say what was looked at is refused with what stands, to those who may see the case', async () => {
    const decision = await held('unseen')
    for (const decisionId of [undefined, 'the last one']) {
      const answer = await say(decision.caseId, 'rolex', { verdict: 'rejected', decisionId })
      expect([answer.status, answer.body.code, answer.body.path]).toEqual([422, 'invalid', '/decisionId'])
      expect(answer.text).toContain(decisionId === undefined ? 'decisionId is missing' : 'decisionId is no uuid')
      expect(answer.body.stands).toMatchObject({ decisionId: decision.decisionId, state: 'open', outcome: 'hold' })
    }
    const stranger = await say(decision.caseId, 'omega', { verdict: 'rejected', decisionId: undefined })
    expect([stranger.status, stranger.body.path, stranger.body.stands]).toEqual([422, '/decisionId', undefined])
    const none = await call('POST', '/v1/cases/no-such-case/verdict', 'omega', { verdict: 'rejected' })
    expect({ ...none.body, instance: '' }).toEqual({ ...stranger.body, instance: '' })
    expect((await look(decision.caseId, 'analyst')).body).toMatchObject({ state: 'open', verdicts: [] })
  })
})
