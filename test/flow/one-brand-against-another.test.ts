// One rights holder against another over a picture that concerns both: nobody keeps another's fakes out, or puts them on sale.
// Real: PostgreSQL, the whole gate with its threads, the HTTP server, sharp; made up: the pictures and the people.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { disguised, drawnPicture } from '../support/drawn-pictures.ts'
import { until } from '../support/until.ts'
import { call, closeReviewing, held, look, openReviewing, raw, say } from './reviewing.ts'
import { becomes, honest, inline, matchesOf, upload } from './tenants.ts'

beforeAll(openReviewing, 120_000)
afterAll(closeReviewing, 60_000)

const BOTH = 'Rolex and Omega Speedmaster 1:1 super clone, best replica'
/** A case of both brands with this picture. */
async function ofBoth(listingId: string, picture: Buffer) {
  const decision = await held(listingId, { title: BOTH, images: [inline(picture)] })
  expect(decision.brandIds.toSorted()).toEqual(['omega', 'rolex'])
  return decision.caseId
}
/** Until the gate knows the picture as genuine, whatever else it knows of it. */
async function knownAsGenuine(picture: Buffer, title: string) {
  const end = Date.now() + 10_000
  for (;;) {
    const decision = await honest(picture, title)
    if (matchesOf(decision).some(({ kind }) => kind === 'genuine')) return decision
    if (Date.now() > end) throw new Error('the genuine picture never matched')
  }
}

describe('its own photo, says a rights holder', () => {
  it.each([
    ['rolex', 10, 'rolex'],
    ['analyst', 40, null],
  ] as const)(
    'of what %s confirmed in a case about both: it stays a fake, and both are told',
    async (who, seed, brandId) => {
      const fake = await drawnPicture(seed)
      expect((await say(await ofBoth(`by ${who}`, fake), who, { verdict: 'confirmed' })).body.status).toBe('recorded')
      const again = await disguised(fake)
      await becomes('hold', again, 'Omega watch, size 42')
      const imageId = await upload('omega', { bankId: `omega-photos-${who}`, kind: 'genuine' }, fake)
      const decision = await knownAsGenuine(again, 'Omega watch, size 42')
      expect(decision.outcome).toBe('hold')
      expect(matchesOf(decision)).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ kind: 'counterfeit', brandId }),
          expect.objectContaining({ kind: 'genuine', brandId: 'omega' }),
        ]),
      )
      // It is nobody's word alone any more.
      const vouch = await raw(`/v1/banks/omega-photos-${who}/images/${imageId}/vouch`, 'analyst', { method: 'POST' })
      expect(vouch.status).toBe(204)
      expect(matchesOf(await becomes('allow', again, 'Rolex watch, size 42'))).toMatchObject([{ kind: 'genuine' }])
    },
  )

  it('before the other confirms it: it joins all the same', async () => {
    const fake = await drawnPicture(71)
    await upload('omega', { bankId: 'omega-photos-before', kind: 'genuine' }, fake)
    const said = await say(await ofBoth('before', await disguised(fake)), 'rolex', { verdict: 'confirmed' })
    expect(said.body).toMatchObject({ pictures: { joined: 1, limited: 0, leftOut: { official: 0 } } })
    await becomes('hold', fake)
  })
})

describe('who is asked of a fake that was confirmed in a case about both', () => {
  it.each([
    ['rolex', 72],
    ['analyst', 73],
  ] as const)('by %s: both, also where only one is named; neither puts it on sale alone', async (who, seed) => {
    const fake = await drawnPicture(seed)
    await say(await ofBoth(`asked of ${who}`, fake), who, { verdict: 'confirmed' })
    const again = await disguised(fake)
    const decision = await becomes('hold', again, 'Omega watch, size 42')
    expect(decision.brandIds.toSorted()).toEqual(['omega', 'rolex'])
    const half = await say(decision.caseId, 'omega', { verdict: 'rejected' })
    expect(half.body).toMatchObject({ decision: null, stands: { state: 'open', outcome: 'hold' } })
    // Nobody learns of the other, or through whose case it is known.
    for (const brand of ['omega', 'rolex'] as const) {
      const seen = await look(decision.caseId, brand)
      expect(seen.body).toMatchObject({ state: 'open', brandIds: [brand] })
      expect(seen.text).not.toContain(`asked of analyst`)
    }
    const whole = await say(decision.caseId, 'rolex', { verdict: 'rejected' })
    expect(whole.body).toMatchObject({ decision: { outcome: 'allow' } })
  })

  it.each([
    ['rolex', 74],
    ['analyst', 75],
  ] as const)(
    'by %s: whom one authorised is stopped as everybody else, until the other does so too',
    async (who, seed) => {
      const fake = await drawnPicture(seed)
      const sellerId = `friend of omega, ${who}`
      const authorise = async (brand: 'omega' | 'rolex') => {
        const { body } = await call('GET', `/v1/brands/${brand}`, brand)
        const put = await call('PUT', `/v1/brands/${brand}`, brand, { ...body, authorisedSellers: [sellerId] })
        expect(put.status).toBe(200)
      }
      await authorise('omega')
      await say(await ofBoth(`authorised, ${who}`, fake), who, { verdict: 'confirmed' })
      const again = await disguised(fake)
      await becomes('hold', again, 'Omega watch, size 42')
      const decision = await honest(again, 'Omega watch, size 42', sellerId)
      expect(decision.outcome).toBe('hold')
      expect((await look(decision.caseId, 'rolex')).status).toBe(200)
      await authorise('rolex')
      await until('both have authorised the seller', async () => {
        const { outcome } = await honest(again, 'Omega watch, size 42', sellerId)
        return outcome === 'allow'
      })
    },
  )
})

describe('of two brands of whom one confirms and the other rejects', () => {
  it.each([
    ['confirms first', 77, ['rolex', 'omega']],
    ['rejects first', 78, ['omega', 'rolex']],
  ] as const)('the word counts for itself alone until an analyst vouches, whoever %s', async (how, seed, order) => {
    const fake = await drawnPicture(seed)
    const listingId = `disputed, ${how}`
    const caseId = await ofBoth(listingId, fake)
    for (const brand of order)
      expect((await say(caseId, brand, { verdict: brand === 'rolex' ? 'confirmed' : 'rejected' })).status).toBe(200)
    const path = '/v1/banks/confirmed-rolex/images'
    const limited = await call<{ items: { imageId: string; source: { listingId: string } }[] }>(
      'GET',
      `${path}?state=limited`,
      'analyst',
    )
    const [entry] = limited.body.items.filter(({ source }) => source.listingId === listingId)
    const again = await disguised(fake)
    await becomes('hold', again, 'Rolex watch, size 42')
    // As every worker knows it by now.
    await becomes('allow', again)
    expect((await raw(`${path}/${entry?.imageId}/vouch`, 'analyst', { method: 'POST' })).status).toBe(204)
    await becomes('hold', again)
  })
})
