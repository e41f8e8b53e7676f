// Whose case it is: of a listing that is edited, of one that names several brands, and of one that only a picture gives away.
// Real: PostgreSQL, log, store, worker, banks, sharp, the HTTP server on loopback. Made up: the goods, the pictures, the policy.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Decision } from '../../src/domain/decision.ts'
import { disguised, drawnPicture } from '../support/drawn-pictures.ts'
import { until } from '../support/until.ts'
import { call, closeReviewing, feedOf, held, type keys, look, openReviewing, raw, say, submitted } from './reviewing.ts'

beforeAll(openReviewing, 120_000)
afterAll(closeReviewing, 60_000)

type Who = keyof typeof keys

const OMEGA = { title: 'Omega Seamaster 1:1 super clone, best replica' }
const BOTH = { title: 'Rolex and Omega watches, 1:1 super clone replica', brand: 'Rolex' }
/** Names nobody and says nothing: only its pictures may speak. */
const CHAIR = { title: 'A wooden chair', seller: undefined, price: undefined }

const imagesOf = (...pictures: Buffer[]) => pictures.map((one) => ({ data: one.toString('base64') }))
const casesOf = async (who: Who) =>
  (await call<{ items: { caseId: string }[] }>('GET', '/v1/cases?limit=200', who)).body.items.map((one) => one.caseId)
const historyOf = (listingId: string, who: Who) =>
  call<{ current: { outcome: string }; decisions: Decision[] }>('GET', `/v1/listings/${listingId}`, who)
const inBank = async (bankId: string, listingId: string) => {
  const { body } = await call<{ items?: { source: { listingId?: string } }[] }>(
    'GET',
    `/v1/banks/${bankId}/images`,
    'analyst',
  )
  return (body.items ?? []).filter(({ source }) => source.listingId === listingId).length
}
const matchesOf = (decision: Decision | undefined) =>
  decision?.signals.find(({ name }) => name === 'image-hash')?.evidence['matches']

/** Sends listings of other sellers until one is stopped by its picture: that is when the bank has it. */
async function stopped(name: string, listing: object, accept = (decision: Decision) => decision.outcome !== 'allow') {
  let tries = 0
  return until('the bank stops it', async () => {
    tries += 1
    const { body } = await submitted(`${name}-${tries}`, { sellerId: 'S-2', ...listing })
    return accept(body) && body
  })
}

describe('an edit of a listing that waits', () => {
  it('takes its case away from no brand: the new one clears it only with the one that was asked first', async () => {
    const images = imagesOf(await drawnPicture(1))
    const first = await held('edited', { ...OMEGA, images })
    const second = await submitted('edited', { revision: 2, title: 'Rolex gift bag', images })
    expect(second.body).toMatchObject({ outcome: 'hold', caseId: first.caseId, brandIds: ['rolex', 'omega'] })
    const seen = await look(first.caseId, 'omega')
    expect(seen.body).toMatchObject({ state: 'open', brandIds: ['omega'], listing: { title: 'Rolex gift bag' } })
    expect((await historyOf('edited', 'omega')).body.decisions.map((d) => d.brandIds)).toEqual([['omega'], ['omega']])
    expect(await casesOf('omega')).toContain(first.caseId)

    expect((await say(first.caseId, 'rolex', { verdict: 'rejected' })).body).toMatchObject({
      status: 'recorded',
      decision: null,
      stands: { state: 'open', outcome: 'hold' },
    })
    expect((await say(first.caseId, 'omega', { verdict: 'confirmed' })).body).toMatchObject({
      decision: { outcome: 'block', brandIds: ['omega'] },
    })
    const third = await submitted('edited', { revision: 3, title: 'Leather bag, as new', images })
    expect(third.body).toMatchObject({ outcome: 'hold', brandIds: expect.arrayContaining(['omega']) as string[] })
    expect((await look(third.body.caseId, 'omega')).body).toMatchObject({ state: 'open', brandIds: ['omega'] })
  })
})

describe('of a case that names two brands', () => {
  it('each says its word and has its bank; who takes its own back leaves the other’s', async () => {
    const picture = await drawnPicture(2)
    const { caseId } = await held('both', { ...BOTH, images: imagesOf(picture) })
    const first = await say(caseId, 'rolex', { verdict: 'confirmed' })
    expect(first.body).toMatchObject({ status: 'recorded', decision: { outcome: 'block' } })
    expect([await inBank('confirmed-rolex', 'both'), await inBank('confirmed-omega', 'both')]).toEqual([1, 0])

    const second = await say(caseId, 'omega', { verdict: 'confirmed' })
    expect(second).toMatchObject({
      status: 200,
      body: { status: 'recorded', decision: null, pictures: { bankId: 'confirmed-omega', joined: 1 } },
    })
    expect(await inBank('confirmed-omega', 'both')).toBe(1)
    const again = await say(caseId, 'omega', { verdict: 'rejected' })
    expect([again.status, again.body.code]).toEqual([409, 'already-decided'])

    const undone = await say(caseId, 'omega', { verdict: 'cannot-tell', supersedes: second.body.verdictIds[0] })
    expect(undone.body).toMatchObject({ decision: null, stands: { state: 'resolved', outcome: 'block' } })
    expect([await inBank('confirmed-rolex', 'both'), await inBank('confirmed-omega', 'both')]).toEqual([1, 0])
  })
})

describe('a listing that names no brand', () => {
  it('is a case of the brand whose confirmed picture stopped it, with the reason; nobody else learns more', async () => {
    const picture = await drawnPicture(3)
    const known = await held('known', { images: imagesOf(picture) })
    await say(known.caseId, 'rolex', { verdict: 'confirmed' })
    const images = imagesOf(await disguised(picture))
    const chair = await stopped('chair', { ...CHAIR, images })
    expect(chair).toMatchObject({ brandIds: ['rolex'], reasons: [{ code: 'picture-seen-before' }] })

    const seen = await look(chair.caseId, 'rolex')
    expect(seen.body).toMatchObject({ state: 'open', brandIds: ['rolex'], reason: { code: 'picture-seen-before' } })
    expect(matchesOf(seen.body.decisions[0])).toMatchObject([
      { bankId: 'confirmed-rolex', brandId: 'rolex', source: { listingId: 'known' } },
    ])
    const { pictures } = seen.body as unknown as { pictures: { sha256: string }[] }
    expect((await raw(`/v1/pictures/${pictures[0]?.sha256}`, 'rolex')).status).toBe(200)
    expect(await casesOf('rolex')).toContain(chair.caseId)
    for (const { status } of [await look(chair.caseId, 'omega'), await historyOf(chair.listingId, 'omega')])
      expect(status).toBe(404)
    for (const told of [await feedOf(chair.listingId), (await historyOf(chair.listingId, 'ingest')).body])
      expect(JSON.stringify(told)).not.toMatch(/"bankId"|"source":\{|"known"/)

    const cleared = await say(chair.caseId, 'rolex', { verdict: 'rejected', reason: 'a copied photo' })
    expect(cleared.body).toMatchObject({ decision: { outcome: 'allow' }, stands: { state: 'resolved' } })
  })

  it('needs the word of both where its words name another one; an analyst speaks for all', async () => {
    const picture = await drawnPicture(4)
    const known = await held('of-rolex', { images: imagesOf(picture) })
    await say(known.caseId, 'rolex', { verdict: 'confirmed' })
    const isKnown = (decision: Decision) => matchesOf(decision) !== undefined
    const watch = await stopped('watch', { ...OMEGA, images: imagesOf(await disguised(picture)) }, isKnown)
    expect(watch.brandIds).toEqual(['omega', 'rolex'])
    const half = await say(watch.caseId, 'omega', { verdict: 'rejected' })
    expect(half.body).toMatchObject({ decision: null, stands: { state: 'open', outcome: 'hold' } })
    expect(half.text).not.toContain('rolex')
    expect((await look(watch.caseId, 'omega')).text).not.toContain('rolex')
    const whole = await say(watch.caseId, 'analyst', { verdict: 'rejected' })
    expect(whole.body).toMatchObject({ decision: { outcome: 'allow' } })
  })

  it('is no case of a brand that only uploaded its picture: nobody is shown strangers’ cases by that', async () => {
    const picture = await drawnPicture(5)
    const bank = { bankId: 'omega-own', name: 'Own', kind: 'genuine', brandId: 'omega' }
    expect((await call('POST', '/v1/banks', 'omega', bank)).status).toBe(201)
    const added = await raw('/v1/banks/omega-own/images', 'omega', {
      method: 'POST',
      headers: { 'content-type': 'image/png' },
      body: new Uint8Array(picture),
    })
    expect(added.status).toBe(201)
    const isKnown = (decision: Decision) => matchesOf(decision) !== undefined
    const stranger = await stopped('stranger', { images: imagesOf(await disguised(picture)) }, isKnown)
    expect(stranger).toMatchObject({ outcome: 'hold', brandIds: ['rolex'] })
    expect((await look(stranger.caseId, 'omega')).status).toBe(404)
    expect(await casesOf('omega')).not.toContain(stranger.caseId)
  })
})
