// A marketplace without Kafka, told over HTTP: it submits, waits, follows the feed, withdraws; an analyst changes the policy meanwhile.
// Real: PostgreSQL, log, store, worker, publisher, clock, signals, brands and policy that ship, the HTTP server on loopback.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKeyStore } from '../../src/adapters/postgres/access-store.ts'
import { createApiKey } from '../../src/api/secrets.ts'
import { startGate, type RunningGate } from '../../src/apps/gate.ts'
import { startHttp, type RunningHttp } from '../../src/apps/http.ts'
import { readConfig } from '../../src/config.ts'
import type { ApiKey, Role } from '../../src/domain/access.ts'
import type { Decision } from '../../src/domain/decision.ts'
import type { Policy } from '../../src/domain/policy.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { freshDatabase, type FreshDatabase } from '../support/database.ts'

let database: FreshDatabase
let gate: RunningGate
let http: RunningHttp

beforeAll(async () => {
  database = await freshDatabase()
  const config = readConfig({ DATABASE_URL: database.url, PORT: '0', METRICS_PORT: '0' })
  const telemetry = createTelemetry({ level: 'silent', processMetrics: false })
  gate = await startGate(config, telemetry, () => undefined)
  http = await startHttp(gate, config, telemetry, () => undefined)
}, 120_000)

afterAll(async () => {
  await http.stop()
  await gate.stop()
  await database.drop()
}, 60_000)

async function key(role: Role, bound: { brandIds?: string[]; marketplace?: string } = {}) {
  const { keyId, key, hash } = createApiKey()
  const stored: Omit<ApiKey, 'createdAt' | 'revokedAt'> = { keyId, role, brandIds: bound.brandIds ?? [] }
  await createKeyStore(gate.database.database.reading).create(
    bound.marketplace === undefined ? stored : { ...stored, marketplace: bound.marketplace },
    hash,
  )
  return { keyId, key }
}

async function call<T = Record<string, unknown>>(
  method: string,
  path: string,
  as: { key: string } | undefined,
  body?: unknown,
  headers: Record<string, string> = {},
) {
  const text = typeof body === 'string'
  const response = await fetch(`${http.url}${path}`, {
    method,
    headers: {
      ...(as === undefined ? {} : { authorization: `Bearer ${as.key}` }),
      ...(body === undefined ? {} : { 'content-type': text ? 'application/x-ndjson' : 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: text ? body : JSON.stringify(body) }),
  })
  const answer = await response.text()
  const type = response.headers.get('content-type') ?? ''
  return {
    status: response.status,
    headers: response.headers,
    text: answer,
    body: (type.includes('json') && !type.includes('ndjson') ? JSON.parse(answer) : undefined) as T,
  }
}

const WAIT = { prefer: 'wait=20' }
const listing = (listingId: string, change: object = {}) => ({
  listingId,
  revision: 1,
  sellerId: 'S-1',
  marketplace: 'demo',
  title: 'Handmade ceramic mug',
  price: { amount: 18, currency: 'EUR' },
  ...change,
})

interface Feed {
  items: {
    cursor: string
    type: string
    data: { listingId: string; decisionId?: string }
    listing?: { title: string }
  }[]
  next: string
}

/** Follows the feed from a cursor until all these listings were seen. */
async function followUntil(as: { key: string }, cursor: string | undefined, listingIds: readonly string[]) {
  const missing = new Set(listingIds)
  const seen: Feed['items'] = []
  let after = cursor
  while (missing.size > 0) {
    const page = await call<Feed>(
      'GET',
      `/v1/decisions?wait=20&limit=7${after === undefined ? '' : `&after=${after}`}`,
      as,
    )
    expect(page.status).toBe(200)
    for (const item of page.body.items) {
      missing.delete(item.data.listingId)
      seen.push(item)
    }
    after = page.body.next
  }
  return { seen, next: after }
}

describe('a marketplace', () => {
  it('gets the decision in the answer, the same one again for the same content, and a conflict for other content', async () => {
    const ingest = await key('ingest')
    const first = await call<Decision>('POST', '/v1/listings', ingest, listing('once'), WAIT)
    expect(first.status).toBe(200)
    expect(first.headers.get('preference-applied')).toBe('wait=20')
    expect(first.body).toMatchObject({ listingId: 'once', revision: 1, sequence: 1, stage: 'screening' })
    const logit = Math.log(first.body.risk / (1 - first.body.risk))
    expect(first.body.signals.reduce((sum, s) => sum + s.contribution, first.body.base)).toBeCloseTo(logit, 6)

    const again = await call<Decision>('POST', '/v1/listings', ingest, {
      ...listing('once'),
      submittedAt: '2026-01-01T00:00:00Z',
    })
    expect([again.status, again.body.decisionId]).toEqual([200, first.body.decisionId])
    const other = await call('POST', '/v1/listings', ingest, listing('once', { title: 'Something else' }), WAIT)
    expect([other.status, other.body['code']]).toEqual([409, 'revision-reused'])
  })

  it('is told what is refused: an older revision, a withdrawn one, another marketplace’s', async () => {
    const ingest = await key('ingest')
    expect((await call('POST', '/v1/listings', ingest, listing('edited', { revision: 3 }), WAIT)).status).toBe(200)
    const older = await call('POST', '/v1/listings', ingest, listing('edited', { revision: 2 }), WAIT)
    expect([older.status, older.body['code']]).toEqual([409, 'superseded'])

    expect((await call('POST', '/v1/listings/edited/withdrawals', ingest, { revision: 5 })).status).toBe(202)
    const back = await call('POST', '/v1/listings', ingest, listing('edited', { revision: 4 }), WAIT)
    expect([back.status, back.body['code']]).toEqual([409, 'withdrawn'])
    expect((await call('POST', '/v1/listings', ingest, listing('edited', { revision: 6 }), WAIT)).status).toBe(200)

    const foreign = await key('ingest', { marketplace: 'other' })
    const taken = await call(
      'POST',
      '/v1/listings',
      foreign,
      { ...listing('edited', { revision: 7 }), marketplace: undefined },
      WAIT,
    )
    expect([taken.status, taken.body['code']]).toEqual([409, 'marketplace-mismatch'])
    expect((await call('GET', '/v1/listings/edited', foreign)).status).toBe(404)
    const same = { ...listing('edited', { revision: 6 }), marketplace: undefined }
    const probed = await call('POST', '/v1/listings', foreign, same, WAIT)
    expect([probed.status, probed.body['code'], probed.body['detail']]).toEqual([
      409,
      'marketplace-mismatch',
      taken.body['detail'],
    ])
  })

  it('submits many at once and follows them over the feed, resuming at any cursor', async () => {
    const ingest = await key('ingest', { marketplace: 'demo' })
    const before = (await call<Feed>('GET', '/v1/decisions?last=1', ingest)).body.next
    const ids = Array.from({ length: 40 }, (_, i) => `many-${i}`)
    const lines = ids.map((id) => JSON.stringify(listing(id)))
    lines.splice(20, 0, '{"not json')
    const sent = await call('POST', '/v1/listings', ingest, lines.join('\n'))
    const results = sent.text
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l) as { line: number; status: number })
    expect(results.filter((r) => r.status === 202)).toHaveLength(40)
    expect(results.filter((r) => r.status !== 202)).toMatchObject([{ line: 21, status: 400, code: 'not-json' }])

    const { seen } = await followUntil(ingest, before, ids)
    expect(seen.map((i) => i.data.listingId).toSorted()).toEqual(ids.toSorted())
    const middle = seen[17]?.cursor
    const rest = await followUntil(
      ingest,
      middle,
      ids.filter((id) => !seen.slice(0, 18).some((i) => i.data.listingId === id)),
    )
    expect(rest.seen.map((i) => i.data.decisionId)).toEqual(seen.slice(18).map((i) => i.data.decisionId))
  })

  it('of its own key sees nothing of another marketplace in the feed', async () => {
    const [mine, theirs] = [
      await key('ingest', { marketplace: 'mine' }),
      await key('ingest', { marketplace: 'theirs' }),
    ]
    const own = { ...listing('of-mine'), marketplace: undefined }
    expect((await call<Decision>('POST', '/v1/listings', mine, own, WAIT)).body.marketplace).toBe('mine')
    expect((await call('POST', '/v1/listings', theirs, { ...own, listingId: 'of-theirs' }, WAIT)).status).toBe(200)
    const { seen } = await followUntil(mine, undefined, ['of-mine'])
    expect(seen.map((i) => i.data.listingId)).toEqual(['of-mine'])
  })
})

describe('an analyst', () => {
  it('tries a listing without a trace, and sees the goods in the feed', async () => {
    const analyst = await key('analyst')
    const tried = await call<Decision>('POST', '/v1/screen', analyst, listing('tried'))
    expect([tried.status, tried.body.sequence]).toEqual([200, 1])
    expect(tried.body.signals.length).toBeGreaterThan(0)
    expect((await call('GET', '/v1/listings/tried', analyst)).status).toBe(404)
    const { seen } = await followUntil(analyst, undefined, ['once'])
    expect(seen.find((i) => i.data.listingId === 'once')?.listing?.title).toBe('Handmade ceramic mug')
    const history = await call<{ current: object; revisions: { listing: object }[]; decisions: object[] }>(
      'GET',
      '/v1/listings/once',
      analyst,
    )
    expect(history.body).toMatchObject({
      current: { revision: 1 },
      revisions: [{ listing: { title: 'Handmade ceramic mug' } }],
      decisions: [{ sequence: 1 }],
    })
  })

  it('publishes a threshold that changes the next decision, and rolls it back', async () => {
    const [analyst, ingest] = [await key('analyst'), await key('ingest')]
    const policies = await call<{ items: { policy: Policy; active: boolean }[] }>('GET', '/v1/policies', analyst)
    const active = policies.body.items.find((p) => p.active)?.policy
    if (active === undefined) throw new Error('no policy is active')
    const strict = { ...active, thresholds: { hold: 0, block: 1 }, examples: [], rules: [] }
    const stale = await call('POST', '/v1/policies/publish', analyst, { policy: strict, basedOn: active.version + 7 })
    expect([stale.status, stale.body['code']]).toEqual([409, 'policy-conflict'])
    const bad = await call('POST', '/v1/policies/publish', analyst, {
      policy: { ...strict, rules: [{ ruleId: 'r', mode: 'enforce', when: 'listing.(', outcome: 'hold' }] },
    })
    expect([bad.status, bad.body['code']]).toEqual([422, 'policy-invalid'])

    const before = await call<Decision>('POST', '/v1/listings', ingest, listing('calm'), WAIT)
    expect(before.body.outcome).toBe('allow')
    const published = await call<{ policy: Policy }>('POST', '/v1/policies/publish', analyst, {
      policy: strict,
      basedOn: active.version,
    })
    expect(published).toMatchObject({ status: 201, body: { warnings: [expect.stringMatching(/ holds from 0 on/)] } })
    const { version } = published.body.policy
    await expect.poll(() => gate.live.current().policy.policy.version, { timeout: 10_000 }).toBe(version)
    const after = await call<Decision>('POST', '/v1/listings', ingest, listing('calm-2'), WAIT)
    expect([after.body.outcome, after.body.policy.version]).toEqual(['hold', version])
    const back = await call('POST', '/v1/policies/rollback', analyst)
    expect(back).toMatchObject({ status: 200, body: { policy: { version: active.version }, warnings: [] } })
  })
})

describe('the service', () => {
  it('refuses what its store cannot hold, wherever it stands', async () => {
    const admin = await key('admin')
    const [thresholds, aliases] = [{ hold: 0.1, block: 0.2 }, [{ text: 'a\u0000' }]]
    const policies = await call<{ items: { policy: Policy; active: boolean }[] }>('GET', '/v1/policies', admin)
    const policy = policies.body.items.find((p) => p.active)?.policy
    for (const [method, path, body] of [
      ['DELETE', '/v1/keys/%00', undefined],
      ['POST', '/v1/policies/publish', { ...policy, description: 'a\u0000' }],
      ['POST', '/v1/policies/publish', { policy: { ...policy, description: '\ud800' } }],
      ['POST', '/v1/policies/publish', { ...policy, brandThresholds: { '\ud800': thresholds } }],
      ['POST', '/v1/policies/publish', { ...policy, brandThresholds: { '\u0000': thresholds } }],
      ['PUT', '/v1/brands/odd', { name: 'Odd', aliases }],
      ['POST', '/v1/keys', { role: 'ingest', marketplace: '\u0000' }],
    ] as const) {
      const { status, text } = await call(method, path, admin, body)
      expect(status, `${method} ${path}: ${text}`).toBe(422)
    }
  })

  it('tells everyone who waits for the feed at once, however many they are', async () => {
    const [ingest, bound] = [await key('ingest'), await key('ingest', { marketplace: 'demo' })]
    const { next } = (await call<Feed>('GET', '/v1/decisions?last=1', ingest)).body
    const waiting = Array.from({ length: 200 }, (_, i) =>
      call<Feed>('GET', `/v1/decisions?wait=20&after=${next}`, i % 2 === 0 ? ingest : bound),
    )
    expect((await call('POST', '/v1/listings', ingest, listing('news'), WAIT)).status).toBe(200)
    for (const { status, body } of await Promise.all(waiting))
      expect([status, body.items.map((i) => i.data.listingId)]).toEqual([200, ['news']])
  })

  it('is ready, and keeps its contracts and metrics open where they belong', async () => {
    expect((await call('GET', '/readyz', undefined)).body).toMatchObject({ status: 'ready' })
    expect((await call('GET', '/asyncapi.yaml', undefined)).text).toContain('asyncapi: 3')
    const metrics = await (await fetch(http.metricsUrl)).text()
    expect(metrics).toMatch(/touchstone_decisions_total\{[^}]*stage="screening"[^}]*\} \d/)
  })

  it('refuses a revoked key, and its sign-in link works once', async () => {
    const { keyId, key: secret } = await key('analyst')
    const admin = await key('admin')
    expect((await call('GET', '/v1/signals', { key: secret })).status).toBe(200)
    expect((await call('DELETE', `/v1/keys/${keyId}`, admin)).status).toBe(204)
    expect((await call('GET', '/v1/signals', { key: secret })).status).toBe(401)

    const token = new URL(await http.signInLink()).searchParams.get('token')
    const opened = await call('POST', '/sign-in', undefined, { token })
    const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? ''
    expect((await call('GET', '/v1/session', undefined, undefined, { cookie })).body).toMatchObject({ role: 'admin' })
    expect((await call('POST', '/sign-in', undefined, { token })).status).toBe(401)
  })
})
