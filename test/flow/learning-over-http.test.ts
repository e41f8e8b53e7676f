// The loop closed by an analyst over HTTP alone: cases answered, a training, a promotion, a rollback.
// Real: PostgreSQL, the whole gate, its thread for trainings, the HTTP server on loopback; made up: the marketplace and its people.
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createKeyStore } from '../../src/adapters/postgres/access-store.ts'
import { createApiKey } from '../../src/api/secrets.ts'
import { startHttp, type RunningHttp } from '../../src/apps/http.ts'
import { readConfig } from '../../src/config.ts'
import type { Role } from '../../src/domain/access.ts'
import type { Decision } from '../../src/domain/decision.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { ran } from '../support/processes.ts'
import { inLetters } from './learning-market.ts'
import { startGateUnderTest, type GateUnderTest } from '../support/running-gate.ts'

const PAIRS = 40

let t: GateUnderTest
let http: RunningHttp
const keys = new Map<Role, string>()
beforeAll(async () => {
  t = await startGateUnderTest()
  const config = readConfig({
    DATABASE_URL: t.url,
    PORT: '0',
    METRICS_PORT: '0',
    TOUCHSTONE_REQUESTS_PER_MINUTE: '10000',
  })
  http = await startHttp(t.gate, config, createTelemetry({ level: 'silent' }), () => undefined)
  for (const role of ['ingest', 'analyst', 'brand'] as const) {
    const { keyId, key, hash } = createApiKey()
    const brandIds = role === 'brand' ? ['rolex'] : []
    await createKeyStore(t.gate.database.database.reading).create({ keyId, role, brandIds }, hash)
    keys.set(role, key)
  }
})
afterAll(async () => {
  await http?.stop()
  await t?.stop()
})

async function call<T = Record<string, unknown>>(method: string, path: string, body?: unknown, role: Role = 'analyst') {
  const response = await fetch(`${http.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${keys.get(role)}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as T & { code?: string } }
}

/** Held for the price, both; only the words tell them apart. */
const listing = (listingId: string, genuine: boolean) => ({
  listingId,
  revision: 1,
  sellerId: `seller of ${listingId}`,
  marketplace: 'bazaar',
  title: genuine
    ? `Rolex Submariner inherited from my uncle, lot ${inLetters(listingId)}`
    : `Rolex Submariner workshop batch ${inLetters(listingId)}, new`,
  description: genuine ? 'Collected in person, the strap is worn.' : 'Ask for the album with all colours of this line.',
  price: { amount: 240, currency: 'USD' },
})
const send = async (listingId: string, genuine: boolean): Promise<void> => {
  const { status } = await call('POST', '/v1/listings', listing(listingId, genuine), 'ingest')
  expect(status).toBe(202)
}
const decided = async (listingId: string): Promise<Decision | undefined> =>
  (await t.settled()).decisions.findLast((d) => d.listingId === listingId)

interface Models {
  readonly items: { name: string; version: string; active: boolean; card: { trained: { seed: number } } }[]
  readonly training: {
    state: string
    problem?: { code: string; message: string }
    made?: { present: boolean }[]
  } | null
}
const trained = () =>
  t.until('the training ended', async () => {
    const { body } = await call<Models>('GET', '/v1/models')
    return body.training !== null && body.training.state !== 'running' && body
  })

it('is for analysts; a training without verdicts ends with what is missing, and there is one at a time', async () => {
  expect((await call('POST', '/v1/models/all/train', {}, 'brand')).status).toBe(403)
  expect((await call('POST', '/v1/models/other/train', {})).status).toBe(422)
  expect(await call('POST', '/v1/models/all/train')).toMatchObject({ status: 202, body: { state: 'running', seed: 1 } })
  expect(await call('POST', '/v1/models/all/train', {})).toMatchObject({
    status: 409,
    body: { code: 'training-running' },
  })
  expect((await trained()).training).toMatchObject({
    state: 'failed',
    problem: { code: 'labels-missing', message: expect.stringMatching(/10 more confirmed/) as string },
  })
})

it('learns from the verdicts given on cases, and what it learnt decides once it is promoted', async () => {
  for (let i = 0; i < PAIRS; i++) {
    await send(`genuine-${i}`, true)
    await send(`copy-${i}`, false)
  }
  const { decisions } = await t.settled()
  expect(decisions.map((d) => d.outcome)).toEqual(decisions.map(() => 'hold'))
  for (const { caseId, decisionId, listingId } of decisions) {
    const verdict = listingId.startsWith('genuine') ? 'rejected' : 'confirmed'
    expect((await call('POST', `/v1/cases/${caseId}/verdict`, { verdict, decisionId })).status).toBe(200)
  }
  expect((await call('POST', '/v1/models/all/train', { seed: 7 })).status).toBe(202)
  const { training, items } = await trained()
  expect(training).toMatchObject({
    state: 'done',
    labels: 2 * PAIRS,
    learntFrom: 1.4 * PAIRS,
    heldOut: 0.6 * PAIRS,
    leftOut: { repeated: 0, sellerOnBothSides: 0, wordsOnBothSides: 0 },
    made: [{ present: false }, { present: false }],
    refused: [],
  })
  expect(items.map((m) => `${m.name} ${m.active} ${m.card.trained.seed}`)).toEqual(
    expect.arrayContaining(['fusion false 7', 'text false 7']),
  )
  await send('before', true)
  expect((await decided('before'))?.outcome).toBe('hold')

  const version = (name: string) => items.find((m) => m.name === name)?.version ?? ''
  expect(await call('POST', '/v1/models/fusion/promote', { version: 'none' })).toMatchObject({
    status: 404,
    body: { code: 'not-found' },
  })
  for (const name of ['text', 'fusion'])
    expect(await call('POST', `/v1/models/${name}/promote`, { version: version(name) })).toMatchObject({
      status: 200,
      body: {
        name,
        version: version(name),
        before: null,
        overruled: [],
        // Between the two they are apart.
        warnings: name === 'fusion' ? [] : [expect.stringContaining(`Next: promote fusion@${version('fusion')}`)],
      },
    })
  await t.until('it decides', async () => t.gate.live.current().scorecard.version === version('fusion'))
  await send('after', true)
  await send('copy-after', false)
  expect(await decided('after')).toMatchObject({
    outcome: 'allow',
    models: { fusion: version('fusion'), text: version('text') },
  })
  expect((await decided('copy-after'))?.outcome).not.toBe('allow')

  const shipped = {
    status: 200,
    body: {
      name: 'fusion',
      version: null,
      before: version('fusion'),
      text: { name: 'text', version: null, before: version('text') },
      overruled: [],
      warnings: [],
    },
  }
  expect(await call('POST', '/v1/models/all/rollback')).toMatchObject(shipped)
  const both = { version: version('fusion'), text: version('text') }
  expect(await call('POST', '/v1/models/fusion/promote', both)).toMatchObject({
    status: 200,
    body: { version: both.version, before: null, text: { version: both.text, before: null }, warnings: [] },
  })
  expect(await call('POST', '/v1/models/all/rollback')).toMatchObject(shipped)
  await t.until('what ships decides', async () => t.gate.live.current().scorecard.version !== version('fusion'))
  await send('undone', true)
  expect((await decided('undone'))?.outcome).toBe('hold')
})

it('a promoted version whose bytes were damaged is told by all who show models, and mended by the same training', async () => {
  const { version } = (await call<Models>('GET', '/v1/models')).body.items.find((m) => m.name === 'text') ?? {}
  expect((await call('POST', '/v1/models/text/promote', { version })).status).toBe(200)
  const { items } = (await call<Models>('GET', '/v1/models')).body
  const text = items.find((m) => m.name === 'text' && m.active)
  expect(text).toBeDefined()
  expect(text).not.toHaveProperty('problem')
  await t.gate.database.database.reading.query(
    `update model set body = set_byte(body, 20, get_byte(body, 20) # 1) where name = 'text'`,
  )
  const damaged = expect.stringMatching(/^the bytes of version .* are damaged/) as string
  expect((await call<Models>('GET', '/v1/models')).body.items).toContainEqual({ ...text, problem: damaged })
  const command = (...words: string[]) => ran(words, { DATABASE_URL: t.url, PORT: '0', METRICS_PORT: '0' })
  const [doctor, list] = await Promise.all([command('doctor', '--json'), command('models', 'list')])
  expect(doctor.code).toBe(1)
  expect(JSON.parse(doctor.out)).toContainEqual(
    expect.objectContaining({
      name: 'models',
      state: 'wrong',
      detail: expect.stringContaining(`text@${text?.version} is promoted and cannot decide: the bytes`) as string,
    }),
  )
  expect(list.out).toMatch(new RegExp(`^! +text +${text?.version} `, 'm'))
  expect(list.out).not.toMatch(/^\* +text /m)

  expect((await call('POST', '/v1/models/all/train', { seed: 7 })).status).toBe(202)
  expect((await trained()).training).toMatchObject({
    state: 'done',
    made: [
      { name: 'fusion', present: true, mended: false },
      { name: 'text', present: true, mended: true },
    ],
  })
  expect((await call<Models>('GET', '/v1/models')).body.items).toContainEqual(text)
  expect((await command('models', 'list')).out).toMatch(/^\* +text /m)
  // Three commands and a training: with the whole machine busy they take longer than the usual limit.
}, 90_000)

it('a version that stops more of the honest is refused with both rates, and is promoted by force', async () => {
  const { scorecard } = t.gate.live.current()
  const body = Buffer.from(JSON.stringify({ ...scorecard, version: 'strict' }))
  const honest = (count: number, more: boolean) => ({
    rows: 16,
    candidate: { count, share: count / 16 },
    champion: { count: 0, share: 0 },
    rise: { value: count / 16, low: 0, high: 1 },
    more,
  })
  await t.gate.models.put({
    by: 'ann',
    body,
    card: {
      name: 'fusion',
      version: 'strict',
      description: 'Stops whatever it meets.',
      sha256: createHash('sha256').update(body).digest('hex'),
      trained: { seed: 1, marketplaces: [], rows: 40, confirmed: 20, until: null, invented: false },
      measured: {
        champion: { version: scorecard.version },
        comparison: { difference: -0.3, standing: 'worse', honest: { hold: honest(9, true), block: honest(0, false) } },
      },
    },
  })
  const said = `it stops 56.3 % (9 of 16) of the honest listings that neither had seen, and version ${scorecard.version}, which decided then, 0.0 % (0 of 16)`
  expect(await call('POST', '/v1/models/fusion/promote', { version: 'strict' })).toMatchObject({
    status: 409,
    body: { code: 'model-loses', detail: `fusion strict: ${said}` },
  })
  expect(await call('POST', '/v1/models/fusion/promote', { version: 'strict', force: true })).toMatchObject({
    status: 200,
    body: { version: 'strict', overruled: [`fusion strict: ${said}`] },
  })
})
