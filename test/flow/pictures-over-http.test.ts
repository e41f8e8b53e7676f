// A reviewer confirms and takes it back over HTTP, and a dry run sees the banks change. Real: PostgreSQL, the whole gate, the
// HTTP server on loopback, sharp; made up: the pictures and the people.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createKeyStore } from '../../src/adapters/postgres/access-store.ts'
import { createPictureStore } from '../../src/adapters/postgres/picture-store.ts'
import { createApiKey } from '../../src/api/secrets.ts'
import { startHttp, type RunningHttp } from '../../src/apps/http.ts'
import { readConfig } from '../../src/config.ts'
import type { Decision } from '../../src/domain/decision.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { blankPicture, disguised, drawnPicture } from '../support/drawn-pictures.ts'
import { startGateUnderTest, type GateUnderTest } from '../support/running-gate.ts'

let t: GateUnderTest
let http: RunningHttp
let key: string
beforeAll(async () => {
  t = await startGateUnderTest()
  const config = readConfig({ DATABASE_URL: t.url, PORT: '0', METRICS_PORT: '0' })
  http = await startHttp(t.gate, config, createTelemetry({ level: 'silent' }), () => undefined)
  const made = createApiKey()
  await createKeyStore(t.gate.database.database.reading).create(
    { keyId: made.keyId, role: 'analyst', brandIds: [] },
    made.hash,
  )
  key = made.key
}, 120_000)
afterAll(async () => {
  await http?.stop()
  await t?.stop()
}, 60_000)

async function post(path: string, body: object): Promise<unknown> {
  const answer = await fetch(http.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const said: unknown = await answer.json()
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${JSON.stringify(said)}`)
  return said
}

it('a confirmed picture is known to the next dry run within 2 s, and forgotten when the case is opened again', async () => {
  const bad = await drawnPicture(1)
  const again = await disguised(bad)
  const offered = (listingId: string, title: string, picture: Buffer) => ({
    listingId,
    revision: 1,
    sellerId: `seller of ${listingId}`,
    title,
    images: [{ data: picture.toString('base64') }],
  })
  const dryRun = async () => (await post('/v1/screen', offered('dry', 'A wooden chair', again))) as Decision
  const outcomeWithin = async (outcome: Decision['outcome'], milliseconds: number) => {
    const end = performance.now() + milliseconds
    for (;;) {
      const decision = await dryRun()
      if (decision.outcome === outcome) return decision
      if (performance.now() > end) throw new Error(`not ${outcome} after ${milliseconds} ms`)
    }
  }
  expect((await dryRun()).outcome).toBe('allow')

  await t.submit(offered('first', 'Rolex Submariner 1:1 super clone, best replica', bad))
  const first = (await t.settled()).decisions.at(-1)
  await post(`/v1/cases/${first?.caseId}/verdict`, {
    verdict: 'confirmed',
    reason: 'seen before',
    decisionId: first?.decisionId,
  })
  const found = await outcomeWithin('hold', 2_000)
  expect(found.signals.find((signal) => signal.name === 'image-hash')?.evidence).toMatchObject({
    matches: [{ bankId: 'confirmed', source: { kind: 'verdict', caseId: first?.caseId, listingId: 'first' } }],
  })
  // A dry run records nothing, opens no case, and keeps no picture.
  expect(found).not.toHaveProperty('caseId')
  expect(await t.gate.reader.history('dry')).toBeUndefined()

  await post(`/v1/cases/${first?.caseId}/reopen`, { takeBack: true, reason: 'a mistake' })
  await outcomeWithin('allow', 2_000)
})

interface Told {
  verdictIds: string[]
  pictures: { bankId: string; joined: number; leftOut: Record<string, number> } | null
}
const NONE_LEFT = { official: 0, blank: 0, repeated: 0, noLongerKept: 0, neverKept: 0 }

it('a verdict says how many pictures joined which bank, and why others did not; the case, that none is kept any more', async () => {
  const submit = async (listingId: string, pictures: Buffer[]) => {
    const images = pictures.map((bytes) => ({ data: bytes.toString('base64') }))
    await t.submit({ listingId, sellerId: 'S', title: 'Rolex Submariner 1:1 super clone, best replica', images })
    const { caseId, decisionId } = (await t.settled()).decisions.at(-1) ?? {}
    return {
      case: `/v1/cases/${caseId}`,
      say: async (said: object) => (await post(`/v1/cases/${caseId}/verdict`, { ...said, decisionId })) as Told,
    }
  }
  const one = await drawnPicture(20)
  const mixed = await submit('mixed', [one, await blankPicture(), one, Buffer.from('no picture')])
  const said = await mixed.say({ verdict: 'confirmed', verdictId: 'mixed' })
  const leftOut = { ...NONE_LEFT, blank: 1, repeated: 1, neverKept: 1 }
  expect(said.pictures).toMatchObject({ bankId: 'confirmed', joined: 1, leftOut })
  // Known by now: it is not looked at again.
  expect((await mixed.say({ verdict: 'confirmed', verdictId: 'mixed' })).pictures).toBeNull()

  const many = await submit('many', await Promise.all(Array.from({ length: 14 }, (_, i) => drawnPicture(30 + i))))
  const first = await many.say({ verdict: 'confirmed' })
  expect(first.pictures).toMatchObject({ bankId: 'confirmed', joined: 14, leftOut: NONE_LEFT })

  // The days pass.
  const store = createPictureStore(t.gate.database.database.reading)
  while ((await store.prune(-1)) > 0);
  const answer = await fetch(http.url + many.case, { headers: { authorization: `Bearer ${key}` } })
  expect(await answer.json()).toMatchObject({ pictures: [], noLongerKept: [{ revision: 1, pictures: 14 }] })
  const again = await many.say({ verdict: 'confirmed', supersedes: first.verdictIds[0] })
  const gone = { ...NONE_LEFT, noLongerKept: 14 }
  expect(again.pictures).toMatchObject({ bankId: 'confirmed', joined: 0, leftOut: gone })
  expect((await many.say({ verdict: 'rejected', supersedes: again.verdictIds[0] })).pictures).toBeNull()
})
