// Animations: what people see of them is compared, not only the first frame. Real: sharp, the threads, PDQ, the banks' index.
import { afterAll, describe, expect, test } from 'vitest'
import sharp from 'sharp'
import { framesToSee, type Animation } from '../../../../src/adapters/pictures/frames.ts'
import { bankSchema } from '../../../../src/domain/bank.ts'
import { distance } from '../../../../src/imaging/pdq.ts'
import type { SeenPicture } from '../../../../src/imaging/picture.ts'
import { createBankEntries } from '../../../../src/pipeline/banks/entries.ts'
import { drawing, reading } from '../../../support/pictures.ts'

const { reader, read, keep } = reading({ threads: 2 })
afterAll(() => reader.close())

const fake = await drawing().png().toBuffer()
const harmless = await drawing().negate().flip().png().toBuffer()
const other = await drawing(480, 360).extract({ left: 120, top: 90, width: 320, height: 240 }).png().toBuffer()
const white = await sharp({ create: { width: 320, height: 240, channels: 3, background: '#fff' } })
  .png()
  .toBuffer()

const animated = (format: 'webp' | 'gif', frames: Buffer[], delay: number[], loop = 0): Promise<Buffer> => {
  const joined = sharp(frames, { join: { animated: true } })
  return (
    format === 'webp' ? joined.webp({ lossless: true, delay, loop }) : joined.gif({ effort: 1, delay, loop })
  ).toBuffer()
}

async function seen(bytes: Uint8Array): Promise<SeenPicture> {
  const picture = await read(bytes)
  if (picture.state !== 'seen') throw new Error(`${picture.fault}: ${picture.message}`)
  return picture
}
const [ofFake, ofHarmless] = [await seen(fake), await seen(harmless)]
const near = (a: { hash: SeenPicture['hash'] }, b: SeenPicture) => distance(a.hash.bytes, b.hash.bytes) <= 10

describe.each(['webp', 'gif'] as const)('of a %s', (format) => {
  test('that shows a harmless frame for an instant, the frame that follows is the picture', async () => {
    const bytes = await animated(format, [harmless, fake], [10, 5_000])
    const picture = await seen(bytes)
    expect(near(picture, ofFake)).toBe(true)
    expect(picture.frames?.map((frame) => near(frame, ofHarmless))).toEqual([true])
    expect(picture).not.toHaveProperty('unseenFrames')
    // What is kept is what people see, and what joins a bank is its hash.
    const kept = await keep(bytes)
    expect(kept?.hash).toBe(Buffer.from(picture.hash.bytes).toString('hex'))
    expect(near(await seen(kept?.body ?? new Uint8Array()), ofFake)).toBe(true)
  })

  test('that is played once, the last frame is the picture, however short', async () => {
    const picture = await seen(await animated(format, [harmless, other, fake], [5_000, 100, 100], 1))
    expect(near(picture, ofFake)).toBe(true)
  })

  test('that begins blank, what is not blank is the picture', async () => {
    const bytes = await animated(format, [white, fake, white], [9_000, 100, 100])
    // Neither first, nor last, nor longest, nor in the middle of the time: nothing of it is seen.
    expect(await seen(bytes)).toMatchObject({ blank: true })
    const picture = await seen(await animated(format, [white, fake], [9_000, 100]))
    expect(picture.blank).toBe(false)
    expect(near(picture, ofFake)).toBe(true)
    expect(await keep(bytes)).toMatchObject({ blank: true })
  })

  test('cut within its last frame, the frames before it are seen', async () => {
    const bytes = await animated(format, [fake, harmless], [5_000, 100])
    const picture = await seen(bytes.subarray(0, bytes.length - 300))
    expect(near(picture, ofFake)).toBe(true)
    // libnsgif draws what there is of a later frame and says nothing.
    expect(picture.damaged).toBe(format === 'webp' ? true : undefined)
  })

  test('whichever of its frames is known, the banks find it', async () => {
    const entries = createBankEntries()
    entries.putBank(bankSchema.parse({ bankId: 'fakes', name: 'Fakes', kind: 'counterfeit' }))
    const hash = Buffer.from(ofFake.hash.bytes).toString('hex')
    const source = { kind: 'import', file: 'fake.png' } as const
    const about = { imageId: '0198f2a4-0000-7000-8000-000000000001', bankId: 'fakes', sha256: ofFake.sha256, hash }
    entries.put({ ...about, state: 'active', forms: [], source })
    const picture = await seen(await animated(format, [fake, harmless, other], [100, 5_000, 100]))
    const all = [picture, ...(picture.frames ?? []).map((frame) => ({ ...picture, ...frame }))]
    expect(all.filter((one) => entries.match(one).length > 0)).toHaveLength(1)
    expect(entries.match(picture)).toEqual([])
  })
})

test('frames beyond what one picture may cost are not looked at, and it says so', async () => {
  const bytes = await animated('gif', [harmless, other, fake], [100, 100, 5_000])
  const small = reading({ maxPixels: 320 * 240 * 2 })
  const picture = await small.read(bytes)
  await small.reader.close()
  expect(picture).toMatchObject({ state: 'seen', unseenFrames: true })
  expect(picture.state === 'seen' && near(picture, ofHarmless)).toBe(true)
})

describe('which frames', () => {
  const of = (given: Partial<Animation>, most = 1_000) =>
    framesToSee({ frames: 4, delays: [100, 100, 100, 100], loops: 0, area: 1, ...given }, most)

  test('the longest, the last, the first, and the middle of the time', () => {
    expect(of({ frames: 1, delays: [] })).toEqual({ frames: [0], all: true })
    expect(of({ delays: [100, 100, 300, 100] })).toEqual({ frames: [2, 3, 0], all: true })
    expect(of({ delays: [300, 100, 100, 100] })).toEqual({ frames: [0, 3, 1], all: true })
    expect(of({ loops: 1 })).toEqual({ frames: [3, 0, 2], all: true })
  })

  test('a hundredth of a second is a tenth', () => {
    expect(of({ delays: [10, 90, 0, 90] }).frames).toEqual([0, 3, 2])
  })

  test('a million frames cost no more than is allowed, and the longest is the last to be left out', () => {
    const frames = 1_000_000
    const delays = Array.from({ length: frames }, (_, at) => (at === 500 ? 900 : 50))
    expect(of({ frames, delays })).toEqual({ frames: [500, 0], all: false })
    expect(of({ frames, delays }, 100)).toEqual({ frames: [0], all: false })
  })
})
