// A picture is known through one tenant's case; what another one learns of it, whichever way it looks.
// Real: PostgreSQL, log, store, worker, banks, sharp, the HTTP server on loopback. Made up: the goods, the pictures, the policy.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Decision } from '../../src/domain/decision.ts'
import { disguised, drawnPicture } from '../support/drawn-pictures.ts'
import { until } from '../support/until.ts'
import { call, closeReviewing, held, type keys, look, openReviewing, raw, say, submitted } from './reviewing.ts'

const SECRET = 'listing-of-another-shop'
let picture: Buffer
let again: { data: string }[]
/** Whose ids nobody else may learn. */
let first: Decision
let verdictId: string | undefined

beforeAll(async () => {
  await openReviewing()
  picture = await drawnPicture(1)
  again = [{ data: (await disguised(picture)).toString('base64') }]
  first = await held(SECRET, { images: [{ data: picture.toString('base64') }] })
  verdictId = (await say(first.caseId, 'analyst', { verdict: 'confirmed' })).body.verdictIds[0]
  await until('the picture is known', async () => (await screen('analyst')).text.includes('"source":{'))
}, 120_000)
afterAll(closeReviewing, 60_000)

const screen = (as: keyof typeof keys) =>
  call<Decision>('POST', '/v1/screen', as, {
    listingId: 'dry',
    revision: 1,
    sellerId: 'S-2',
    title: 'A wooden chair',
    images: again,
  })
const matchesOf = (decision: Decision | undefined) =>
  decision?.signals.find(({ name }) => name === 'image-hash')?.evidence['matches']
/** Kind, distance and the entry stay: enough to see why, and to ask about. */
const TOLD = [
  { image: 0, kind: 'counterfeit', imageId: expect.any(String) as string, distance: expect.any(Number) as number },
]

function expectNothingOfOthers(text: string): void {
  expect(text).toContain('"imageId"')
  for (const name of [SECRET, first.caseId, verdictId, '"source":{', '"bankId"']) expect(text).not.toContain(name)
}

describe('through whose case a picture is known', () => {
  it('analysts read in a dry run, in the history and on the case', async () => {
    const origin = [
      { bankId: 'confirmed', source: { kind: 'verdict', verdictId, caseId: first.caseId, listingId: SECRET } },
    ]
    expect(matchesOf((await screen('analyst')).body)).toMatchObject(origin)
    const offered = await submitted('seen-by-analysts', { title: 'A wooden chair', images: again })
    const history = await call<{ decisions: Decision[] }>('GET', '/v1/listings/seen-by-analysts', 'analyst')
    expect(matchesOf(history.body.decisions[0])).toMatchObject(origin)
    expect(matchesOf((await look(offered.body.caseId, 'analyst')).body.decisions[0])).toMatchObject(origin)
  })

  it('no marketplace reads: not in a dry run, nor in an answer, a history, the feed or on the topic', async () => {
    const tried = await screen('other')
    expect(matchesOf(tried.body)).toMatchObject(TOLD)
    expectNothingOfOthers(tried.text)
    const listing = { title: 'A wooden chair', images: again }
    const answered = await submitted('of-the-other', listing, 'other')
    expect(answered.body.outcome).toBe('hold')
    const repeated = await submitted('of-the-other', listing, 'other')
    const history = await call('GET', '/v1/listings/of-the-other', 'other')
    for (const { status, text } of [answered, repeated, history]) {
      expect(status).toBe(200)
      expectNothingOfOthers(text)
    }
    // The feed is read from what goes onto the topic.
    for (const as of ['other', 'analyst'] as const) {
      const { items } = (await call<{ items: { data: Decision }[] }>('GET', '/v1/decisions?limit=1000', as)).body
      expectNothingOfOthers(JSON.stringify(items.filter(({ data }) => data.listingId === 'of-the-other')))
    }
  })

  it('no rights holder reads, unless the bank is its own', async () => {
    const offered = await submitted('of-omega', {
      title: 'Omega Seamaster 1:1 super clone, best replica',
      images: again,
    })
    const seen = await look(offered.body.caseId, 'omega')
    expect(matchesOf(seen.body.decisions[0])).toMatchObject(TOLD)
    expectNothingOfOthers(seen.text)

    const own = [{ data: (await drawnPicture(2)).toString('base64') }]
    const rolex = await held('of-rolex', { images: own })
    await say(rolex.caseId, 'rolex', { verdict: 'confirmed' })
    let tries = 0
    const later = await until('its bank has it', async () => {
      tries += 1
      const { body } = await submitted(`rolex-${tries}`, { images: own })
      return matchesOf(body) !== undefined && body
    })
    const mine = (await look(later.caseId, 'rolex')).body.decisions[0]
    expect(matchesOf(mine)).toMatchObject([{ bankId: 'confirmed-rolex', source: { caseId: rolex.caseId } }])
  })
})

describe('the pictures of a case', () => {
  it('are a rights holder’s only of the revisions that name its brand', async () => {
    const images = async (seed: number) => [{ data: (await drawnPicture(seed)).toString('base64') }]
    const one = await held('moves', { images: await images(11) })
    const two = await submitted('moves', {
      revision: 2,
      title: 'Rolex and Omega watches, 1:1 super clone replica',
      images: await images(12),
    })
    expect(two.body.caseId).toBe(one.caseId)
    type Pictures = { pictures: { revision: number; sha256: string }[] }
    const shown = async (as: keyof typeof keys) =>
      (await call<Pictures>('GET', `/v1/cases/${one.caseId}`, as)).body.pictures
    const all = await shown('analyst')
    expect(all.map((p) => p.revision)).toEqual([2, 1])
    expect(await shown('rolex')).toEqual(all)
    expect((await shown('omega')).map((p) => p.revision)).toEqual([2])
    // Nor by its name.
    const loaded = async (as: keyof typeof keys, revision: number) =>
      (await raw(`/v1/pictures/${all.find((p) => p.revision === revision)?.sha256}`, as)).status
    expect([await loaded('omega', 1), await loaded('omega', 2), await loaded('rolex', 1)]).toEqual([404, 200, 200])
  })
})
