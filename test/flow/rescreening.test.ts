// A shop's image host is silent for a while: its listings are held, tried again when it is back, and decided anew. Real:
// PostgreSQL, the whole gate, HTTP on the loopback interface, sharp; made up: the host, that time passes, and
// that there was none to keep a picture.
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { drawnPicture } from '../support/drawn-pictures.ts'
import { startGateUnderTest, type GateUnderTest } from '../support/running-gate.ts'

let t: GateUnderTest
let host: Server
let picture: Buffer
let answers: 'nothing' | 'the picture' | 'another picture' | 'gone' = 'nothing'
const other = drawnPicture(8)
const logo = drawnPicture(9)

beforeAll(async () => {
  picture = await drawnPicture(7)
  host = createServer((request, response) => {
    if (request.url?.endsWith('/logo.png') === true) return void logo.then((bytes) => response.end(bytes))
    if (answers === 'nothing') return
    if (answers === 'gone') return void response.writeHead(404).end()
    response.setHeader('content-type', 'image/png')
    if (answers === 'the picture') response.end(picture)
    else void other.then((bytes) => response.end(bytes))
  })
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve))
  const { port } = host.address() as AddressInfo
  t = await startGateUnderTest({
    TOUCHSTONE_IMAGE_PRIVATE_NETWORKS: '127.0.0.1',
    TOUCHSTONE_IMAGE_PORTS: String(port),
    TOUCHSTONE_IMAGE_BUDGET_MS: '300',
    TOUCHSTONE_IMAGE_TIMEOUT_MS: '250',
  })
})
afterAll(async () => {
  await t?.stop()
  host?.closeAllConnections()
  host?.close()
})

const query = async (sql: string, values: unknown[] = []) =>
  (await t.gate.database.database.reading.query<Record<string, unknown>>(sql, values)).rows
const decisionsOf = async (listingId: string) => (await t.gate.reader.history(listingId))?.decisions ?? []

/** Someone put a picture into a bank, so that not seeing one matters. */
async function withBank(): Promise<void> {
  await t.gate.bankStore.upsertBank(
    { bankId: 'bad', name: 'Bad', kind: 'counterfeit', maxDistance: 31, brandId: null },
    'test',
    'all',
  )
  const [reader, bytes] = [t.gate.pictures.reader, picture]
  const kept = await reader.keep(bytes, 'ab'.repeat(32))
  if (kept === undefined) throw new Error('the picture cannot be kept')
  await t.gate.bankStore.addImages('bad', [{ picture: kept, source: { kind: 'api' } }], 'test', 'all')
  await t.until('the bank is known', async () => t.gate.banks.current().size === 1)
}

const urlOf = (listingId: string) => `http://127.0.0.1:${(host.address() as AddressInfo).port}/${listingId}.png`
const offer = async (listingId: string, images = [{ url: urlOf(listingId) }]) => {
  await t.submit({ listingId, title: 'A wooden chair', images })
  return await t.until(`${listingId} is decided`, async () => (await decisionsOf(listingId))[0])
}
/** As if the pause were over. The host may still be resting from its silence: that is one more try in vain. */
const passTime = () => query(`update rescreen set due_at = now() where due_at > now()`)
const waits = async (listingId: string) =>
  (await query('select attempts from rescreen where listing_id = $1', [listingId]))[0]?.['attempts']

describe('a listing whose picture could not be got', () => {
  it('is asked for again for its case, also while no bank holds anything that it could be like', async () => {
    answers = 'gone'
    await t.submit({ listingId: 'overt', title: 'Nike Air Max 1:1 best replica', images: [{ url: urlOf('overt') }] })
    const blocked = await t.until('it is decided', async () => (await decisionsOf('overt'))[0])
    expect(blocked).toMatchObject({ outcome: 'block', degraded: false })
    expect(await waits('overt')).toBe(0)
    answers = 'another picture'
    const kept = () => query('select ordinal from case_picture where case_id = $1', [blocked.caseId])
    await passTime()
    await t.until('it is kept', async () => (await kept()).length === 1)
    expect(await waits('overt')).toBeUndefined()
    expect(await decisionsOf('overt')).toHaveLength(1)
  }, 30_000)

  it('costs its time limit, is held degraded, and goes on sale when the host is back', async () => {
    await withBank()
    answers = 'nothing'
    const begun = performance.now()
    const innocent = await offer('innocent')
    expect(performance.now() - begun).toBeLessThan(10_000)
    expect(innocent).toMatchObject({ outcome: 'hold', degraded: true, risk: expect.closeTo(0.025, 3) })
    expect(innocent.reasons.map((r) => r.code)).toEqual(['picture-did-not-come', 'check-unavailable'])
    // Not as the low risk says that the rest of it has.
    expect(innocent).toMatchObject({ riskClass: 'low', hold: { onDeadline: 'block' } })
    expect(innocent.signals.find((s) => s.name === 'image-hash')).toMatchObject({
      state: 'failed',
      evidence: { unseen: [{ image: 0, fault: 'timed-out' }] },
    })
    const edited = await offer('edited')
    expect(await waits('innocent')).toBe(0)

    // Still silent: nothing is written, and it waits longer.
    await passTime()
    await t.until('it was tried in vain', async () => (await waits('innocent')) === 1)
    expect(await decisionsOf('innocent')).toHaveLength(1)

    // A person's edit meanwhile: the older revision is nobody's business any more.
    await t.submit({ listingId: 'edited', revision: 2, title: 'A chair, without a picture' }, 'revised')
    await t.until('the edit is decided', async () => (await decisionsOf('edited')).length === 2)

    answers = 'another picture'
    await t.until('the innocent one is on sale', async () => {
      await passTime()
      return (await decisionsOf('innocent')).length === 2
    })
    const [, after] = await decisionsOf('innocent')
    expect(after).toMatchObject({ stage: 'rescreen', outcome: 'allow', degraded: false, sequence: 2 })
    expect(await query('select state from review_case where case_id = $1', [innocent.caseId])).toEqual([
      { state: 'released' },
    ])
    expect(await waits('innocent')).toBeUndefined()
    await t.until('the edited one is forgotten', async () => (await waits('edited')) === undefined)
    expect((await decisionsOf('edited')).map((d) => [d.revision, d.stage])).toEqual([
      [edited.revision, 'screening'],
      [2, 'screening'],
    ])
  }, 30_000)

  it('stays held when the picture speaks against it, and shows the picture to who looks', async () => {
    answers = 'nothing'
    const held = await offer('known')
    answers = 'the picture'
    await t.until('it is decided again', async () => {
      await passTime()
      return (await decisionsOf('known')).length === 2
    })
    const [, after] = await decisionsOf('known')
    expect(after).toMatchObject({ stage: 'rescreen', outcome: 'hold', degraded: false, caseId: held.caseId })
    // Until when it was, but riskier than it looked: nobody's silence lets it through.
    expect(after?.hold).toEqual({ until: held.hold?.until, onDeadline: 'block' })
    expect(after?.reasons.map((r) => r.code)).toContain('picture-seen-before')
    expect(await query('select ordinal from case_picture where case_id = $1', [held.caseId])).toEqual([{ ordinal: 0 }])
  }, 30_000)

  it('is kept for its case later where there was no time for it, as it was judged', async () => {
    answers = 'the picture'
    const { reader } = t.gate.pictures
    const logoSha = createHash('sha256')
      .update(await logo)
      .digest('hex')
    const real = reader.keep
    const keeping = vi
      .spyOn(reader, 'keep')
      .mockImplementation((bytes, sha256, size) =>
        sha256 === logoSha ? Promise.resolve(undefined) : real(bytes, sha256, size),
      )
    const held = await offer('hurried', [{ url: urlOf('hurried') }, { url: urlOf('hurried/logo') }])
    const kept = () => query('select ordinal, sha256 from case_picture where case_id = $1 order by 1', [held.caseId])
    expect(held).toMatchObject({ outcome: 'hold', degraded: false })
    expect(await kept()).toMatchObject([{ ordinal: 0 }])
    expect(await waits('hurried')).toBe(0)

    keeping.mockRestore()
    await passTime()
    await t.until('it is kept', async () => (await kept()).length === 2)
    expect((await kept())[1]).toEqual({ ordinal: 1, sha256: logoSha })
    // That is all that was to be done: nothing new is decided, and it is not tried again.
    expect(await waits('hurried')).toBeUndefined()
    expect(await decisionsOf('hurried')).toHaveLength(1)
  }, 30_000)

  it('goes on sale when a picture that was not there yet is there a moment later', async () => {
    answers = 'gone'
    const held = await offer('late')
    expect(held).toMatchObject({ outcome: 'hold', degraded: true, hold: { onDeadline: 'block' } })
    expect(held.reasons.map((r) => r.code)).toEqual(['picture-not-found', 'check-unavailable'])
    expect(await waits('late')).toBe(0)
    await passTime()
    await t.until('it was tried in vain', async () => (await waits('late')) === 1)
    answers = 'another picture'
    await t.until('it is decided again', async () => {
      await passTime()
      return (await decisionsOf('late')).length === 2
    })
    expect((await decisionsOf('late')).at(-1)).toMatchObject({ stage: 'rescreen', outcome: 'allow', degraded: false })
    expect(await waits('late')).toBeUndefined()
  }, 30_000)

  it('is not tried again when the picture is still not there after an hour', async () => {
    answers = 'gone'
    const held = await offer('gone')
    expect(await waits('gone')).toBe(0)
    const anHourAgo = new Date(Date.parse(held.decidedAt) - 3_600_000).toISOString()
    await query(`update decision set body = replace(body::text, $2, $3)::json where listing_id = $1`, [
      'gone',
      held.decidedAt,
      anHourAgo,
    ])
    await passTime()
    await t.until('nobody asks for it any more', async () => (await waits('gone')) === undefined)
    expect(await decisionsOf('gone')).toHaveLength(1)
    // No better than if it had been seen.
    await query(`update listing set hold_until = now() where listing_id = 'gone'`)
    await t.until('its hold has ended', async () => (await decisionsOf('gone')).length === 2)
    const [, ended] = await decisionsOf('gone')
    expect(ended).toMatchObject({ stage: 'deadline', outcome: 'block', caseId: held.caseId })
    expect(ended?.reasons.map((r) => r.code)).toEqual([
      'picture-not-found',
      'check-unavailable',
      'not-reviewed-in-time',
      'not-checked-in-time',
    ])
  })

  it('is not hidden by a logo that stands in front', async () => {
    await t.gate.bankStore.upsertBank(
      { bankId: 'logos', name: 'Logos', kind: 'logo', maxDistance: 31, brandId: null },
      'test',
      'all',
    )
    const kept = await t.gate.pictures.reader.keep(await logo, 'cd'.repeat(32))
    if (kept === undefined) throw new Error('the logo cannot be kept')
    await t.gate.bankStore.addImages('logos', [{ picture: kept, source: { kind: 'api' } }], 'test', 'all')
    await t.until('the logo is known', async () => t.gate.banks.current().size === 2)
    const front = { url: new URL('/logo.png', urlOf('x')).href }
    for (const [answer, again, reason] of [
      ['gone', 0, 'picture-not-found'],
      ['nothing', 0, 'picture-did-not-come'],
    ] as const) {
      answers = answer
      const listingId = `logo-and-${answer}`
      const decision = await offer(listingId, [front, { url: urlOf(listingId) }])
      expect(decision).toMatchObject({ outcome: 'hold', degraded: true, hold: { onDeadline: 'block' } })
      expect(decision.reasons.map((r) => r.code)).toEqual([reason, 'check-unavailable'])
      expect(decision.signals.find((s) => s.name === 'image-hash')).toMatchObject({
        state: 'scored',
        score: 0.1,
        incomplete: true,
        evidence: { seen: 1 },
      })
      expect(await waits(listingId)).toBe(again)
    }
    // And when it comes, it is what decides.
    answers = 'the picture'
    await t.until('it is decided again', async () => {
      await passTime()
      return (await decisionsOf('logo-and-nothing')).length === 2
    })
    const after = (await decisionsOf('logo-and-nothing')).at(-1)
    expect(after).toMatchObject({ stage: 'rescreen', outcome: 'hold', riskClass: 'high', degraded: false })
  }, 30_000)
})
