// A word on a picture is taken back: listings of others that were held or blocked only for that picture go on sale. Real:
// PostgreSQL, the whole gate, HTTP on the loopback interface, sharp; made up: the host, the people, and that a hold ends.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Decision } from '../../src/domain/decision.ts'
import type { Verdict } from '../../src/domain/verdict.ts'
import { verdictRecorded } from '../../src/events/index.ts'
import { encodeEvent } from '../../src/events/wire.ts'
import { disguised, drawnPicture } from '../support/drawn-pictures.ts'
import { startGateUnderTest, type GateUnderTest } from '../support/running-gate.ts'
import { verdictOn } from '../support/verdicts.ts'

const OVERT = 'Rolex Submariner 1:1 super clone, best replica'
const PLAIN = 'A wooden chair'

let t: GateUnderTest
let host: Server
/** What the host shows by path. */
const shown = new Map<string, Buffer>()

beforeAll(async () => {
  host = createServer((request, response) => {
    const picture = shown.get(request.url ?? '')
    response.writeHead(picture === undefined ? 404 : 200, { 'content-type': 'image/png' }).end(picture)
  })
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve))
  const { port } = host.address() as AddressInfo
  t = await startGateUnderTest({
    TOUCHSTONE_IMAGE_PRIVATE_NETWORKS: '127.0.0.1',
    TOUCHSTONE_IMAGE_PORTS: String(port),
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
const inline = (picture: Buffer) => ({ data: picture.toString('base64') })
const atHost = (name: string, picture: Buffer) => {
  shown.set(`/${name}`, picture)
  return { url: `http://127.0.0.1:${(host.address() as AddressInfo).port}/${name}` }
}
const codes = (decision: Decision) => decision.reasons.map((reason) => reason.code)
const matchesOf = (decision: Decision) =>
  decision.signals.find((signal) => signal.name === 'image-hash')?.evidence['matches']

async function offer(
  listingId: string,
  images: readonly ({ data: string } | { url: string })[],
  { title = PLAIN, revision = 1 } = {},
): Promise<Decision> {
  const listing = { listingId, revision, sellerId: `seller of ${listingId}`, title, images: [...images] }
  await t.submit(listing, revision === 1 ? 'submitted' : 'revised')
  return await t.until(`${listingId} is decided`, async () =>
    (await decisionsOf(listingId)).find((d) => d.revision === revision),
  )
}

async function say(
  decision: Decision,
  verdict: Verdict['verdict'],
  supersedes: string | null = null,
): Promise<Verdict> {
  const said = verdictOn(decision, verdict, { supersedes })
  const event = { id: said.verdictId, source: '/review-tool', time: said.at, subject: said.listingId }
  await t.gate.log.append(t.gate.topics.verdicts, [
    { key: Buffer.from(said.listingId), ...encodeEvent(verdictRecorded, said, event) },
  ])
  await t.until('the verdict is recorded', async () => {
    return (await query('select from verdict where verdict_id = $1', [said.verdictId])).length === 1
  })
  return said
}

/** Waits until this worker knows everything that changed in the banks. */
const banksKnow = () =>
  t.until('the banks are known', async () => {
    const [head] = await query('select change from reference_head')
    return t.gate.banks.current().change >= BigInt(String(head?.['change']))
  })
const rescreened = (listingId: string) =>
  t.until(`${listingId} is decided again`, async () => {
    const last = (await decisionsOf(listingId)).at(-1)
    return last?.stage === 'rescreen' ? last : undefined
  })
/** Everything that is queued has been tried. */
const allTried = () =>
  t.until('nothing waits to be tried again', async () => {
    const rows = await query('select from bank_departure union all select from rescreen')
    return rows.length === 0
  })

it('frees who was stopped for the picture alone, and nobody who has another reason, a word of his own, or an edit to be looked at', async () => {
  const [picture, harmless, other, side] = (await Promise.all([1, 2, 3, 4].map(drawnPicture))) as [
    Buffer,
    Buffer,
    Buffer,
    Buffer,
  ]
  const again = await disguised(picture)
  const first = await offer('first', [inline(picture), inline(side)], { title: OVERT })
  expect(first.outcome).not.toBe('allow')
  const sold = await offer('sold', [inline(again)])
  expect(sold.outcome).toBe('allow')

  const confirmed = await say(first, 'confirmed')
  await banksKnow()
  const byInline = await offer('by-inline', [inline(harmless), inline(again)])
  const byUrl = await offer('by-url', [atHost('by-url', again)])
  const overdue = await offer('overdue', [atHost('overdue', again)])
  const overt = await offer('overt', [atHost('overt', again)], { title: OVERT })
  const swapped = await offer('swapped', [atHost('swapped', again)])
  // Of its own word its own picture joins, which nobody else shows.
  const judged = await offer('judged', [atHost('judged', side)])
  const edited = await offer('edited', [atHost('edited', again)])
  const editedAgain = await offer('edited', [atHost('edited', again)], { revision: 2 })
  for (const one of [byInline, byUrl, overdue, overt, swapped, judged, edited, editedAgain]) {
    expect([one.listingId, one.outcome === 'allow', codes(one)]).toEqual([
      one.listingId,
      false,
      expect.arrayContaining(['picture-seen-before']),
    ])
    expect(one.degraded).toBe(false)
  }
  await say(judged, 'confirmed')
  await query(`update listing set hold_until = now() where listing_id = 'overdue'`)
  await t.until('its hold has ended', async () => (await decisionsOf('overdue')).at(-1)?.outcome === 'block')
  shown.set('/swapped', other)

  await say(first, 'cannot-tell', confirmed.verdictId)
  for (const one of [byInline, byUrl, overdue]) {
    const after = await rescreened(one.listingId)
    expect(after).toMatchObject({
      outcome: 'allow',
      revision: 1,
      sequence: one.listingId === 'overdue' ? 3 : 2,
      degraded: false,
      riskClass: 'low',
    })
    expect(after).not.toHaveProperty('hold')
    expect(after).not.toHaveProperty('caseId')
    expect(matchesOf(after)).toBeUndefined()
    expect(codes(after)).toEqual(['known-picture-taken-back'])
    expect(await query('select state from review_case where case_id = $1', [one.caseId])).toEqual([
      { state: 'released' },
    ])
    expect(await query('select outcome, hold_until from listing where listing_id = $1', [one.listingId])).toEqual([
      { outcome: 'allow', hold_until: null },
    ])
  }
  const overtAfter = await rescreened('overt')
  expect(overtAfter).toMatchObject({ outcome: overt.outcome, caseId: overt.caseId })
  expect(matchesOf(overtAfter)).toBeUndefined()
  expect(codes(overtAfter)).not.toContain('picture-seen-before')
  const editedAfter = await rescreened('edited')
  expect(editedAfter).toMatchObject({ revision: 2, outcome: 'hold', hold: { onDeadline: 'block' } })
  expect(codes(editedAfter)).toEqual(['earlier-revision-in-review'])
  // What hangs on the host waits for the same bytes; what a person confirmed himself is his.
  await t.until('the swapped one was tried', async () => {
    return (await query(`select from rescreen where listing_id = 'swapped' and attempts > 0`)).length === 1
  })
  expect(await decisionsOf('swapped')).toHaveLength(1)
  shown.set('/swapped', again)
  await query(`update rescreen set due_at = now()`)
  expect(await rescreened('swapped')).toMatchObject({ outcome: 'allow' })
  await allTried()
  expect((await decisionsOf('judged')).map((d) => [d.stage, d.outcome])).toEqual([
    ['screening', judged.outcome],
    ['review', 'block'],
  ])
  expect(await decisionsOf('sold')).toHaveLength(1)

  // And everybody is told: the feed here, and what is published.
  const { decisions } = await t.settled()
  expect(
    decisions
      .filter((d) => d.stage === 'rescreen')
      .map((d) => `${d.listingId} ${d.outcome}`)
      .toSorted(),
  ).toEqual([
    'by-inline allow',
    'by-url allow',
    'edited hold',
    'overdue allow',
    `overt ${overt.outcome}`,
    'swapped allow',
  ])
}, 60_000)

it('another word on the same picture holds them, until that is taken back too', async () => {
  const picture = await drawnPicture(20)
  const [first, second] = [
    await offer('said-1', [inline(picture)], { title: OVERT }),
    await offer('said-2', [inline(picture)], { title: OVERT }),
  ]
  const [one, two] = [await say(first, 'confirmed'), await say(second, 'confirmed')]
  await banksKnow()
  const held = await offer('twice', [atHost('twice', picture)])
  const named = JSON.stringify(matchesOf(held)).includes(one.verdictId) ? one : two
  const rest = named === one ? two : one
  const of = (verdict: Verdict) => (verdict === one ? first : second)
  await say(of(named), 'cannot-tell', named.verdictId)
  const still = await rescreened('twice')
  expect(still).toMatchObject({ outcome: held.outcome, hold: held.hold, caseId: held.caseId })
  expect(JSON.stringify(matchesOf(still))).toContain(rest.verdictId)
  await say(of(rest), 'cannot-tell', rest.verdictId)
  await t.until('it is on sale', async () => (await decisionsOf('twice')).at(-1)?.outcome === 'allow')
}, 60_000)

it('a picture that is removed by hand frees them too; one in quarantine only when a person has removed it', async () => {
  const picture = await drawnPicture(30)
  const { bankStore, pictures } = t.gate
  const kept = await pictures.reader.keep(picture, 'ab'.repeat(32))
  if (kept === undefined) throw new Error('the picture cannot be kept')
  const bank = { bankId: 'bad', name: 'Bad', kind: 'counterfeit', maxDistance: 31, brandId: null } as const
  await bankStore.upsertBank(bank, 'test', 'all')
  const { added } = await bankStore.addImages('bad', [{ picture: kept, source: { kind: 'api' } }], 'test', 'all')
  const imageId = added[0]?.imageId ?? ''
  await banksKnow()
  expect((await offer('by-bank', [inline(picture)])).outcome).toBe('hold')
  await bankStore.quarantine('bad', imageId, 'test', true, 'all')
  await banksKnow()
  expect((await offer('later', [inline(picture)])).outcome).toBe('allow')
  expect(await query('select image_id from bank_departure')).toEqual([])
  expect(await decisionsOf('by-bank')).toHaveLength(1)
  await bankStore.removeImage('bad', imageId, 'test', 'all')
  expect(await rescreened('by-bank')).toMatchObject({ outcome: 'allow' })
}, 60_000)
