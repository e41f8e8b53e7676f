// A listing is edited while people look at it, over HTTP: what was said of the old revision, and who may see what of it.
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
  say,
  standingOf,
  withdraw,
  type Reviewed,
} from './reviewing.ts'

beforeAll(openReviewing, 120_000)
afterAll(closeReviewing, 60_000)

const dataOf = async (seed: number) => [{ data: (await drawnPicture(seed)).toString('base64') }]
const submit = async (listing: object) => (await call<Decision>('POST', '/v1/listings', 'ingest', listing)).body

interface BankImages {
  items: { source: { listingId?: string } }[]
}
const inBank = async (listingId: string) =>
  (await call<BankImages>('GET', '/v1/banks/confirmed/images', 'analyst')).body.items.filter(
    ({ source }) => source.listingId === listingId,
  ).length

describe('a wrong confirmation', () => {
  it.each(['supersedes', 'takeBack'])('of an earlier revision leaves the bank by %s', async (way) => {
    const listingId = `edited-${way}`
    const images = await dataOf(way.length)
    const { caseId } = await held(listingId, { images })
    const wrong = await say(caseId, 'analyst', { verdict: 'confirmed' })
    expect(await inBank(listingId)).toBe(1)
    await call('POST', `/v1/listings/${listingId}/appeals`, 'ingest', { text: 'It is mine.' })
    const edited = await submit({ listingId, revision: 2, sellerId: 'S-1', title: 'A wooden chair', images })
    expect(edited.caseId).toBe(caseId)
    const cleared = await say(caseId, 'analyst', { verdict: 'rejected' })
    const [verdictId] = wrong.body.verdictIds
    expect(cleared.body).toMatchObject({
      earlier: [{ verdictId, revision: 1, brandId: null }],
      stands: { revision: 2, outcome: 'allow' },
    })
    expect(await inBank(listingId)).toBe(1)
    const undone =
      way === 'supersedes'
        ? await say(caseId, 'analyst', { verdict: 'cannot-tell', supersedes: verdictId })
        : await call<Reviewed>('POST', `/v1/cases/${caseId}/reopen`, 'analyst', { reason: 'wrong', takeBack: true })
    expect([undone.status, undone.body.status]).toEqual([200, 'recorded'])
    expect(await inBank(listingId)).toBe(0)
  })
})

describe('a wrong confirmation of a listing that its seller has withdrawn', () => {
  const reopen = (caseId: string | undefined, takeBack: boolean) =>
    call<Reviewed & { detail?: string }>('POST', `/v1/cases/${caseId}/reopen`, 'analyst', { reason: 'wrong', takeBack })

  it.each(['supersedes', 'takeBack'])('leaves the bank by %s; others go on sale, it gets no decision', async (way) => {
    const [listingId, twin] = [`gone-${way}`, `twin-${way}`]
    const images = await dataOf(20 + way.length)
    const { caseId } = await held(listingId, { images })
    const wrong = await say(caseId, 'analyst', { verdict: 'confirmed' })
    let probes = 0
    // The worker knows the bank's new picture soon, not at once.
    await until('the worker knows it', async () => {
      const probe = {
        listingId: `${twin}-${(probes += 1)}`,
        revision: 1,
        sellerId: 'S-3',
        title: 'A wooden chair',
        images,
      }
      return (await submit(probe)).outcome === 'hold'
    })
    const stopped = await submit({ listingId: twin, revision: 1, sellerId: 'S-2', title: 'A wooden chair', images })
    expect(stopped).toMatchObject({ outcome: 'hold', reasons: [{ code: 'picture-seen-before' }] })
    await withdraw(listingId, 1)
    const before = await standingOf(listingId)

    const asked = await reopen(caseId, false)
    expect([asked.status, asked.body.code, asked.body.detail]).toEqual([
      409,
      'case-changed',
      expect.stringContaining('takeBack still undoes'),
    ])
    expect(await inBank(listingId)).toBe(1)
    const undone =
      way === 'supersedes'
        ? await say(caseId, 'analyst', { verdict: 'cannot-tell', supersedes: wrong.body.verdictIds[0] })
        : await reopen(caseId, true)
    expect(undone).toMatchObject({
      status: 200,
      body: { status: 'recorded', decision: null, stands: { state: 'withdrawn' } },
    })
    expect(await inBank(listingId)).toBe(0)
    expect(await standingOf(listingId)).toEqual(before)
    expect((await look(caseId, 'analyst')).body).toMatchObject({ state: 'withdrawn', brandIds: ['rolex'] })
    while ((await standingOf(twin)).outcome !== 'allow') await new Promise((resolve) => setTimeout(resolve, 20))

    const again = await reopen(caseId, true)
    expect([again.status, again.body.detail]).toEqual([409, expect.stringContaining('no verdict on its case counts')])
  })

  it('is taken back as well where the withdrawal closed its case while an edit was looked at', async () => {
    const images = await dataOf(40)
    const { caseId } = await held('gone-edited', { images })
    await say(caseId, 'analyst', { verdict: 'confirmed' })
    await call('POST', '/v1/listings/gone-edited/appeals', 'ingest', { text: 'It is mine.' })
    const edited = await submit({ listingId: 'gone-edited', revision: 2, sellerId: 'S-1', title: 'A chair', images })
    expect(edited.caseId).toBe(caseId)
    await withdraw('gone-edited', 2)
    expect((await look(caseId, 'analyst')).body.state).toBe('withdrawn')
    expect(await inBank('gone-edited')).toBe(1)
    expect(await reopen(caseId, true)).toMatchObject({ status: 200, body: { decision: null } })
    expect(await inBank('gone-edited')).toBe(0)
  })
})

describe('a verdict', () => {
  it('says which decision was looked at: none, an old one or a foreign one puts nothing on sale', async () => {
    const first = await held('worse')
    const second = await submit({
      listingId: 'worse',
      revision: 2,
      sellerId: 'S-1',
      title: 'Rolex Submariner 1:1 super clone, best replica, with fake box and papers',
      price: { amount: 99, currency: 'USD' },
    })
    expect(second.caseId).toBe(first.caseId)
    const unsaid = await say(first.caseId, 'analyst', { verdict: 'rejected', decisionId: undefined })
    expect([unsaid.status, unsaid.body.code, unsaid.body.path]).toEqual([422, 'invalid', '/decisionId'])
    expect(unsaid.text).toContain('Look at the case again')
    const old = await say(first.caseId, 'analyst', { verdict: 'rejected', decisionId: first.decisionId })
    expect(old.body).toMatchObject({
      status: 409,
      code: 'case-changed',
      stands: { revision: 2, decisionId: second.decisionId, outcome: 'hold' },
    })
    const { decisionId } = await held('another')
    const foreign = await say(first.caseId, 'analyst', { verdict: 'rejected', decisionId })
    expect([foreign.status, foreign.body.code]).toEqual([422, 'unknown-decision'])
    expect((await look(first.caseId, 'analyst')).body).toMatchObject({ state: 'open', verdicts: [] })
  })
})
