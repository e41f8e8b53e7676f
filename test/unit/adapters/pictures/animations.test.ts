// Animations: what people see of them is compared, not only the first frame. Real: sharp, the threads, PDQ, the banks' index.
import { afterAll, describe, expect, test } from 'vitest'
import sharp from 'sharp'
import { createTellingApart, framesToSee, seesWhole, type Animation } from '../../../../src/adapters/pictures/frames.ts'
import type { Pixels } from '../../../../src/adapters/pictures/messages.ts'
import { bankSchema } from '../../../../src/domain/bank.ts'
import { distance } from '../../../../src/imaging/pdq.ts'
import type { SeenPicture } from '../../../../src/imaging/picture.ts'
import { createBankEntries } from '../../../../src/pipeline/banks/entries.ts'
import { readReferencePicture } from '../../../../src/pipeline/banks/reference-picture.ts'
import { drawing, reading } from '../../../support/pictures.ts'

const { reader, read, keep } = reading({ threads: 2 })
afterAll(() => reader.close())

const fake = await drawing().png().toBuffer()
const harmless = await drawing().negate().flip().png().toBuffer()
const other = await drawing(480, 360).extract({ left: 120, top: 90, width: 320, height: 240 }).png().toBuffer()
const small = await sharp(fake).resize(160).png().toBuffer()
const smaller = await sharp(harmless).resize(160).png().toBuffer()
const mirrored = await drawing().flop().png().toBuffer()
const white = await sharp({ create: { width: 320, height: 240, channels: 3, background: '#fff' } })
  .png()
  .toBuffer()

const animated = (format: 'webp' | 'gif', frames: Buffer[], delay: number[], loop = 0): Promise<Buffer> => {
  const joined = sharp(frames, { join: { animated: true } })
  return (
    format === 'webp'
      ? joined.webp({ lossless: true, effort: 0, delay, loop })
      : joined.gif({ effort: 1, dither: 0, delay, loop })
  ).toBuffer()
}

/** Of a product that turns: each frame a little further, and unlike all others. */
const scene = await drawing(400, 310).flop().png().toBuffer()
const turned = (at: number): Promise<Buffer> =>
  sharp(scene).extract({ left: at, top: at, width: 320, height: 240 }).resize(160).png().toBuffer()

async function seen(bytes: Uint8Array): Promise<SeenPicture> {
  const picture = await read(bytes)
  if (picture.state !== 'seen') throw new Error(`${picture.fault}: ${picture.message}`)
  return picture
}
const [ofFake, ofHarmless] = [await seen(fake), await seen(harmless)]
const near = (a: { hash: SeenPicture['hash'] }, b: { hash: SeenPicture['hash'] }) =>
  distance(a.hash.bytes, b.hash.bytes) <= 10

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
    for (const frames of [
      [white, fake],
      [white, fake, white, white],
    ]) {
      const bytes = await animated(format, frames, [9_000, ...frames.slice(1).map(() => 100)])
      const picture = await seen(bytes)
      expect(picture.blank).toBe(false)
      expect(near(picture, ofFake)).toBe(true)
      expect(await keep(bytes)).toMatchObject({ blank: false, hash: Buffer.from(picture.hash.bytes).toString('hex') })
    }
  })

  test('a frame that is neither first, last, longest nor in the middle is seen too, in sixty that all differ', async () => {
    const frames = await Promise.all(Array.from({ length: 60 }, (_, at) => turned(at)))
    frames[41] = small
    const picture = await seen(
      await animated(
        format,
        frames,
        Array.from(frames, () => 100),
      ),
    )
    expect(picture.frames).toHaveLength(59)
    const ofSmall = await seen(small)
    expect(picture.frames?.filter((frame) => near(frame, ofSmall))).toHaveLength(1)
    expect(picture).not.toHaveProperty('unseenFrames')
  }, 30_000)

  test('frames that look the same are hashed once, and more different ones than are compared are told of', async () => {
    const twice = Array.from({ length: 30 }, (_, at) => (at % 2 === 0 ? smaller : small))
    const few = await seen(
      await animated(
        format,
        twice,
        Array.from(twice, () => 100),
      ),
    )
    expect(few.frames).toHaveLength(1)
    expect(few).not.toHaveProperty('unseenFrames')
    const many = await Promise.all(Array.from({ length: 70 }, (_, at) => turned(at)))
    const picture = await seen(
      await animated(
        format,
        many,
        Array.from(many, () => 100),
      ),
    )
    expect(picture.frames).toHaveLength(63)
    expect(picture).toHaveProperty('unseenFrames', true)
  }, 30_000)

  test('all that was judged is kept for who reviews, what people see longest first', async () => {
    const bytes = await animated(format, [harmless, fake, mirrored, harmless], [100, 100, 5_000, 100])
    const [picture, kept] = [await seen(bytes), await keep(bytes)]
    const body = kept?.body ?? new Uint8Array()
    expect(await sharp(body).metadata()).toMatchObject({ format: 'webp', pages: 3, width: 320, height: 240 })
    const again = await seen(body)
    const judged = [picture, ...(picture.frames ?? [])]
    expect(judged.filter((one) => [again, ...(again.frames ?? [])].some((other) => near(one, other)))).toHaveLength(3)
    expect(distance(again.hash.bytes, picture.hash.bytes)).toBeLessThanOrEqual(10)
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

test('one of which frames cannot be seen is taken into no bank: who adds it believes that all of it is known', async () => {
  const bytes = await animated('gif', [harmless, mirrored, fake], [100, 100, 5_000])
  const { reader: small } = reading({ maxPixels: 320 * 240 * 2 })
  const refused = readReferencePicture(small, bytes)
  await expect(refused).rejects.toMatchObject({
    code: 'picture-unreadable',
    message: expect.stringContaining('pictures of their own') as string,
  })
  await small.close()
  expect((await readReferencePicture(reader, bytes)).frames).toHaveLength(2)
})

test('ten thousand frames cost no more than a picture may, and are not seen whole', async () => {
  const frame = await sharp({ create: { width: 48, height: 48, channels: 3, background: '#808' } })
    .png()
    .toBuffer()
  const two = await animated('gif', [frame, await sharp(harmless).resize(48, 48).png().toBuffer()], [50, 50])
  // The blocks of the two frames, five thousand times over, between the head and the end of the file.
  const first = two.indexOf(Buffer.from([0x21, 0xf9, 4]))
  const frames = Array.from({ length: 5_000 }, () => two.subarray(first, -1))
  const bytes = Buffer.concat([two.subarray(0, first), ...frames, two.subarray(-1)])
  expect((await sharp(bytes, { pages: 1 }).metadata()).pages).toBe(10_000)
  const began = process.cpuUsage()
  expect(await seen(bytes)).toMatchObject({ unseenFrames: true })
  const { user, system } = process.cpuUsage(began)
  // Measured 0.3 s of a core; all of them would take minutes.
  expect((user + system) / 1e6).toBeLessThan(3)
}, 20_000)

describe('which frames', () => {
  const of = (given: Partial<Animation>, most = 1_000) =>
    framesToSee({ frames: 4, delays: [100, 100, 100, 100], loops: 0, area: 1, ...given }, most)

  test('the longest, the last, the first, and the middle of the time', () => {
    expect(of({ frames: 1, delays: [] })).toEqual({ frames: [0], all: true })
    expect(of({ delays: [100, 100, 300, 100] })).toEqual({ frames: [2, 3, 0], all: true })
    expect(of({ delays: [300, 100, 100, 100] })).toEqual({ frames: [0, 3, 1], all: true })
    expect(of({ loops: 1 })).toEqual({ frames: [3, 0, 2], all: true })
  })

  test('all at once where that is within a minute and within what one picture may cost', () => {
    expect(seesWhole(60, 500 * 375, 25_000_000)).toBe(true)
    expect(seesWhole(60, 1_000 * 750, 25_000_000)).toBe(false)
    expect(seesWhole(600, 1, 600)).toBe(true)
    expect(seesWhole(601, 1, 25_000_000)).toBe(false)
  })

  test('frames are told apart by every pixel, against all before them, by more than two grey levels', () => {
    const grey = (level: (x: number, y: number) => number): Pixels => ({
      data: Uint8Array.from({ length: 64 * 64 }, (_, at) => level(at % 64, Math.floor(at / 64))),
      width: 64,
      height: 64,
      channels: 1,
    })
    const isNew = createTellingApart()
    const told = [100, 102, 98, 103, 100, 105, 106].map((level) => isNew(grey(() => level)))
    // 105 is near 103; 106 is near neither of the two that were kept.
    expect(told).toEqual([true, false, false, true, false, false, true])
    // A chequered pattern is not its bright squares.
    expect(isNew(grey((x, y) => ((x + y) % 2 === 0 ? 100 : 0)))).toBe(true)
    // One cell of 1,024.
    expect(isNew(grey((x, y) => (x < 2 && y < 2 ? 200 : 100)))).toBe(true)
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
