// Whoever puts a fake behind a dozen honest pictures does not choose what is confirmed.
// Real: PostgreSQL, log, store, worker, threads, banks, sharp, the HTTP server on loopback. Made up: the goods, the pictures, the policy.
import sharp from 'sharp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Decision } from '../../src/domain/decision.ts'
import { disguised, drawnPicture } from '../support/drawn-pictures.ts'
import { until } from '../support/until.ts'
import { call, closeReviewing, held, openReviewing, raw, say } from './reviewing.ts'

beforeAll(openReviewing, 120_000)
afterAll(closeReviewing, 60_000)

const inline = (picture: Buffer) => ({ data: picture.toString('base64') })

/** Whether the banks know it, under a seller of whom they know nothing. */
async function isFound(picture: Buffer): Promise<boolean> {
  const listing = { listingId: 'dry', revision: 1, sellerId: 'S-2', title: 'A wooden chair', images: [inline(picture)] }
  const { body } = await call<Decision>('POST', '/v1/screen', 'analyst', listing)
  return body.outcome !== 'allow'
}

it('the thirteenth of thirteen pictures is shown, joins with the others, is found under another seller, and can be named alone', async () => {
  const shown = await Promise.all(Array.from({ length: 13 }, (_, i) => drawnPicture(500 + i)))
  const [decoy, fake] = await Promise.all([disguised(shown[11] ?? Buffer.of()), disguised(shown[12] ?? Buffer.of())])
  const { caseId } = await held('fake-behind-decoys', { images: shown.map(inline) })
  const { body } = await call<{ pictures: { ordinal: number; sha256: string }[] }>(
    'GET',
    `/v1/cases/${caseId}`,
    'analyst',
  )
  expect(body.pictures.map(({ ordinal }) => ordinal)).toEqual(shown.map((_, i) => i))
  const widthOf = async (at: number) => {
    const served = await raw(`/v1/pictures/${body.pictures[at]?.sha256}`, 'analyst')
    return (await sharp(await served.arrayBuffer()).metadata()).width
  }
  // Those beyond the first dozen are kept smaller.
  expect(await Promise.all([widthOf(11), widthOf(12)])).toEqual([600, 512])
  expect(await isFound(fake)).toBe(false)

  const { body: all } = await say(caseId, 'analyst', { verdict: 'confirmed' })
  expect(all).toMatchObject({ pictures: { joined: 13, leftOut: { unnamed: 0, neverKept: 0 } } })
  await until('the thirteenth is known', () => isFound(fake))
  expect(await isFound(decoy)).toBe(true)

  const named = { verdict: 'confirmed', supersedes: all.verdictIds[0], pictures: [12] }
  const { body: one } = await say(caseId, 'analyst', named)
  expect(one).toMatchObject({ pictures: { joined: 1, leftOut: { unnamed: 12 } } })
  await until('the decoys are forgotten', async () => !(await isFound(decoy)))
  expect(await isFound(fake)).toBe(true)
})
