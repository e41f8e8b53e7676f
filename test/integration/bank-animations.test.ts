// Animations on their way into a bank. Real: the server, the store on PostgreSQL, sharp and the threads that read pictures; keys are in memory.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import sharp from 'sharp'
import type { Api } from '../../src/api/services.ts'
import type { BankStore } from '../../src/rights/bank-ports.ts'
import { added, bank, picture } from '../contracts/store-banks.ts'
import { drawing, reading, sha256Of } from '../support/pictures.ts'
import { memoryApi } from '../unit/api/memory-ports.ts'
import { freshNode } from './store-on-postgres.ts'

describe('animations in banks', () => {
  let one: BankStore
  let api: Api
  let nike: Record<string, string>
  const { reader } = reading({ maxBytes: 1_000_000 })
  beforeEach(async () => {
    one = (await freshNode()).banks
    const memory = await memoryApi({ banks: one, reader })
    api = memory.api
    nike = (await memory.world.key('brand', { brandIds: ['nike'] })).headers
  })
  afterEach(async () => {
    await api.close()
  })

  const add = (bankId: string, payload: Buffer, type: string) =>
    api.inject({
      method: 'POST',
      url: `/v1/banks/${bankId}/images`,
      headers: { ...nike, 'content-type': type },
      payload,
    })

  test('of an animation every frame is added as an entry of its own, and what an older gate left out comes with it again', async () => {
    await one.upsertBank(bank('fakes'), 'ann', 'all')
    const frames = ['second', 'third'].map((name) => {
      const { hash, quality, forms, variants } = picture(name)
      return { hash, quality, forms, variants }
    })
    const source = { kind: 'api' as const }
    // As it was added before: by one frame alone.
    await one.addImages('fakes', added(['moving', 'still']), 'ann', 'all')
    const moving = { picture: picture('moving', { frames }), source }
    const first = await one.addImages('fakes', [moving, ...added(['still', 'new'])], 'ann', 'all')
    const hashes = ['second', 'third', 'new'].map((name) => picture(name).hash)
    expect(first.added.map((image) => image.hash).toSorted()).toEqual(hashes.toSorted())
    expect(first.present).toBe(1)
    expect(await one.addImages('fakes', [moving], 'ann', 'all')).toEqual({ added: [], present: 1 })
    // The one shown longest is told first.
    const other = await one.addImages('fakes', [{ picture: picture('other', { frames }), source }], 'ann', 'all')
    expect(other.added.map((image) => image.hash)).toEqual([picture('other').hash, ...hashes.slice(0, 2)])
    const { images } = await one.changesSince(0n, 100)
    expect(images).toHaveLength(8)
    expect(new Set(images.map((image) => ('forms' in image ? image.forms[0] : '')))).toContain(frames[1]?.forms[0])
  })

  test('an animation goes in with every frame, and not at all where frames cannot be seen', async () => {
    await one.upsertBank(bank('b', { brandId: 'nike', kind: 'genuine' }), 'ann', 'all')
    const frames = [await drawing(96, 72).png().toBuffer(), await drawing(96, 72).flop().png().toBuffer()]
    const moving = await sharp(frames, { join: { animated: true } })
      .webp({ delay: [100, 900] })
      .toBuffer()
    const answer = (await add('b', moving, 'image/webp')).json()
    const kinds = { bankId: 'b', sha256: sha256Of(moving), source: { kind: 'api', by: 'brand' } }
    expect(answer).toMatchObject({ added: kinds, frames: [kinds], sha256: sha256Of(moving) })
    type Entry = { imageId: string; hash: string }
    const { added, frames: others } = answer as { added: Entry; frames: Entry[] }
    expect(added.hash).not.toBe(others[0]?.hash)
    expect(await one.banks('all')).toMatchObject([{ images: 2 }])
    const again = await add('b', moving, 'image/webp')
    const { present, ...told } = again.json<{ present: Entry[] }>()
    expect([again.statusCode, told]).toEqual([200, { sha256: sha256Of(moving) }])
    expect(present.map((one) => one.imageId).toSorted()).toEqual([added, ...others].map((e) => e.imageId).toSorted())
    // The blocks of its two frames, three hundred times and five over: a film of more than a minute.
    const two = await sharp(frames, { join: { animated: true } })
      .gif({ effort: 1, colours: 4, dither: 0 })
      .toBuffer()
    const first = two.indexOf(Buffer.from([0x21, 0xf9, 4]))
    const blocks = Array.from({ length: 305 }, () => two.subarray(first, -1))
    const film = Buffer.concat([two.subarray(0, first), ...blocks, two.subarray(-1)])
    const refused = await add('b', film, 'image/gif')
    expect([refused.statusCode, refused.json()]).toMatchObject([422, { code: 'picture-unreadable' }])
    expect(refused.body).toContain('pictures of their own')
  })
})
