// Pictures sent inline that had no turn while others held the threads: their listings are held, and tried again with the very
// bytes. Real: PostgreSQL, the whole gate, sharp; made up: that the threads stand still, and that time passes.
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { drawnPicture } from '../support/drawn-pictures.ts'
import { startGateUnderTest, type GateUnderTest } from '../support/running-gate.ts'

let t: GateUnderTest
beforeAll(async () => {
  t = await startGateUnderTest({ TOUCHSTONE_IMAGE_LISTING_MS: '2000', TOUCHSTONE_IMAGE_THREADS: '1' })
})
afterAll(async () => await t?.stop())

const query = async (sql: string, values: unknown[] = []) =>
  (await t.gate.database.database.reading.query<Record<string, unknown>>(sql, values)).rows
const decisionsOf = async (listingId: string) => (await t.gate.reader.history(listingId))?.decisions ?? []
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

it('are kept for their case where no bank holds anything yet that they could be like', async () => {
  const shown = await drawnPicture(4)
  const { reader } = t.gate.pictures
  const real = reader.read
  const standStill = Promise.withResolvers<void>()
  const reading = vi.spyOn(reader, 'read').mockImplementation(async (bytes, hash, until) => {
    await standStill.promise
    return await real(bytes, hash, until)
  })
  const images = [{ data: shown.toString('base64') }]
  await t.submit({ listingId: 'overt', title: 'Nike Air Max 1:1 best replica', images })
  const decision = await t.until('it is decided', async () => (await decisionsOf('overt'))[0])
  expect(decision).toMatchObject({ outcome: 'block', degraded: false })
  expect(decision.signals.find(({ name }) => name === 'image-hash')).toMatchObject({ state: 'abstained' })
  standStill.resolve()
  reading.mockRestore()

  const kept = async () => await query('select ordinal, sha256 from case_picture where case_id = $1', [decision.caseId])
  expect(await kept()).toEqual([])
  await query('update rescreen set due_at = now()')
  await t.until('it is kept', async () => (await kept()).length === 1)
  expect(await kept()).toEqual([{ ordinal: 0, sha256: sha256(shown) }])
  expect(await decisionsOf('overt')).toHaveLength(1)
  expect(await query('select listing_id from rescreen')).toEqual([])
}, 60_000)

it('are looked at when there is time: the innocent goes on sale, and what is like a fake stays, with its picture in the case', async () => {
  const [fake, innocent, shown] = await Promise.all([drawnPicture(1), drawnPicture(2), drawnPicture(3)])
  const { reader } = t.gate.pictures
  await t.gate.bankStore.upsertBank(
    { bankId: 'bad', name: 'Bad', kind: 'counterfeit', maxDistance: 31, brandId: null },
    'test',
    'all',
  )
  const kept = await reader.keep(fake, 'ab'.repeat(32))
  if (kept === undefined) throw new Error('the picture cannot be kept')
  await t.gate.bankStore.addImages('bad', [{ picture: kept, source: { kind: 'api' } }], 'test', 'all')
  await t.until('the bank is known', async () => t.gate.banks.current().size === 1)

  const real = reader.read
  const standStill = Promise.withResolvers<void>()
  const reading = vi.spyOn(reader, 'read').mockImplementation(async (bytes, hash, until) => {
    // One of the innocent's is seen before.
    if (hash !== sha256(shown)) await standStill.promise
    return await real(bytes, hash, until)
  })
  const offer = (listingId: string, ...pictures: Buffer[]) =>
    t.submit({ listingId, title: 'A wooden chair', images: pictures.map((one) => ({ data: one.toString('base64') })) })
  await offer('innocent', shown, innocent)
  await offer('fake', fake)
  const held = []
  for (const listingId of ['innocent', 'fake']) {
    const decision = await t.until(`${listingId} is decided`, async () => (await decisionsOf(listingId))[0])
    expect(decision).toMatchObject({ outcome: 'hold', degraded: true })
    expect(decision.reasons.map((r) => r.code)).toEqual(['picture-not-looked-at-yet', 'check-unavailable'])
    held.push(decision)
  }
  const [, heldFake] = held
  expect(await query('select listing_id from rescreen order by 1')).toEqual([
    { listing_id: 'fake' },
    { listing_id: 'innocent' },
  ])
  standStill.resolve()
  reading.mockRestore()

  await query('update rescreen set due_at = now()')
  const again = async (listingId: string) =>
    await t.until(`${listingId} is decided again`, async () => (await decisionsOf(listingId))[1])
  expect(await again('innocent')).toMatchObject({ stage: 'rescreen', outcome: 'allow', degraded: false })
  const found = await again('fake')
  expect(found).toMatchObject({ stage: 'rescreen', outcome: 'hold', degraded: false, caseId: heldFake?.caseId })
  expect(found.reasons.map((r) => r.code)).toContain('picture-seen-before')
  expect(await query('select ordinal, sha256 from case_picture where case_id = $1', [heldFake?.caseId])).toEqual([
    { ordinal: 0, sha256: sha256(fake) },
  ])
  expect(await query('select listing_id from rescreen')).toEqual([])
}, 60_000)
