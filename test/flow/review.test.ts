// People look at what the gate stopped: reviewers, two rights holders, a seller who answers, all over HTTP.
// Real: PostgreSQL, log, store, worker, publisher, signals, brands, the HTTP server on loopback. Made up: the goods, and a policy
// that holds instead of blocking.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKeyStore } from '../../src/adapters/postgres/access-store.ts'
import { createApiKey } from '../../src/api/secrets.ts'
import { startGate, type RunningGate } from '../../src/apps/gate.ts'
import { startHttp, type RunningHttp } from '../../src/apps/http.ts'
import { readConfig } from '../../src/config.ts'
import type { Role } from '../../src/domain/access.ts'
import type { Decision } from '../../src/domain/decision.ts'
import { lastHeader } from '../../src/events/header.ts'
import { defaultPolicy } from '../../src/policy/default.ts'
import { GATE_SOURCE } from '../../src/pipeline/sources.ts'
import { createTelemetry, type Telemetry } from '../../src/telemetry.ts'
import { freshDatabase, type FreshDatabase } from '../support/database.ts'

let database: FreshDatabase
let gate: RunningGate
let http: RunningHttp
let telemetry: Telemetry
let keys: Record<'ingest' | 'other' | 'analyst' | 'analyst2' | 'rolex' | 'omega' | 'both', string>

beforeAll(async () => {
  database = await freshDatabase()
  const config = readConfig({ DATABASE_URL: database.url, PORT: '0', METRICS_PORT: '0' })
  telemetry = createTelemetry({ level: 'silent' })
  gate = await startGate(config, telemetry, () => undefined)
  http = await startHttp(gate, config, telemetry, () => undefined)
  keys = {
    ingest: await key('ingest', { marketplace: 'demo' }),
    other: await key('ingest', { marketplace: 'elsewhere' }),
    analyst: await key('analyst'),
    analyst2: await key('analyst'),
    rolex: await key('brand', { brandIds: ['rolex'] }),
    omega: await key('brand', { brandIds: ['omega'] }),
    both: await key('brand', { brandIds: ['omega', 'rolex'] }),
  }
  await policy({ thresholds: { hold: 0.2, block: 1 }, audit: { share: 0, dueSeconds: 60 } })
}, 120_000)

afterAll(async () => {
  await http?.stop()
  await gate?.stop()
  await database?.drop()
}, 60_000)

async function key(role: Role, bound: { brandIds?: string[]; marketplace?: string } = {}): Promise<string> {
  const made = createApiKey()
  const { brandIds = [], ...more } = bound
  await createKeyStore(gate.database.database.reading).create({ keyId: made.keyId, role, brandIds, ...more }, made.hash)
  return made.key
}

/** Publishes the shipped policy with changes, and waits until the running gate decides with it. */
async function policy(change: object): Promise<void> {
  const { version: _, ...document } = { ...defaultPolicy(), examples: [], ...change }
  const made = await call('POST', '/v1/policies/publish', 'analyst', document)
  const { version } = (made.body as { policy: { version: number } }).policy
  await until('the policy is live', () => gate.live.current().policy.policy.version === version)
}

async function until(what: string, look: () => boolean): Promise<void> {
  const end = Date.now() + 20_000
  while (!look()) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

interface Reviewed {
  status: string
  verdictIds: string[]
  decision: Decision | null
  stands: { caseId: string; state: string; outcome: string; sequence: number }
  code?: string
  path?: string
}
interface Details {
  caseId: string
  state: string
  openedBy: string
  brandIds: string[]
  dueAt: string
  claim: { by: string | null } | null
  listing: { title: string; seller?: object }
  decisions: Decision[]
  verdicts: { verdict: string; reason?: string | null; note?: string | null; by: { subject: string }; source: string }[]
  answers: { text: string | null }[]
}

async function call<T = Record<string, unknown>>(method: string, path: string, as: keyof typeof keys, body?: unknown) {
  const response = await fetch(`${http.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${keys[as]}`,
      prefer: 'wait=20',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, text, body: JSON.parse(text) as T }
}

const say = (caseId: string | undefined, as: keyof typeof keys, verdict: object) =>
  call<Reviewed>('POST', `/v1/cases/${caseId}/verdict`, as, verdict)
const look = (caseId: string | undefined, as: keyof typeof keys) => call<Details>('GET', `/v1/cases/${caseId}`, as)

/** A listing that is held; its decision. */
async function held(listingId: string, more: object = {}): Promise<Decision> {
  const { body } = await call<Decision>('POST', '/v1/listings', 'ingest', {
    listingId,
    revision: 1,
    sellerId: 'S-1',
    seller: { complaintCount: 3, country: 'CN' },
    title: 'Rolex Submariner 1:1 super clone, best replica',
    condition: 'new',
    price: { amount: 189, currency: 'USD' },
    ...more,
  })
  expect(body.outcome).toBe('hold')
  return body
}

const feedOf = async (listingId: string) =>
  (await call<{ items: { data: Decision }[] }>('GET', '/v1/decisions?limit=1000', 'ingest')).body.items
    .map((item) => item.data)
    .filter((d) => d.listingId === listingId)

/** What stands on the verdicts topic of one listing once everything is published. */
async function verdictEvents(listingId: string) {
  const { log, topics, publisher } = gate
  for (let rows = 1; rows > 0;) rows = (await publisher.backlog()).rows
  const found: { from: string; verdict: string; verdictId: string }[] = []
  for (const { partition, low } of await log.ranges(topics.verdicts))
    for (const record of await log.read(topics.verdicts, partition, low, 1_000)) {
      if (Buffer.from(record.key ?? []).toString() !== listingId) continue
      const from = Buffer.from(lastHeader(record.headers, 'ce_source') ?? []).toString()
      found.push({
        from,
        ...(JSON.parse(Buffer.from(record.value ?? []).toString()) as { verdict: string; verdictId: string }),
      })
    }
  return found
}

/** Everything on the verdicts topic has gone through the gate's own reader. */
async function ownVerdictsRead(): Promise<void> {
  const { log, topics, groups, store } = gate
  for (const { partition, low, high } of await log.ranges(topics.verdicts))
    while ((await store.place(groups.verdicts, topics.verdicts, partition, low)) < high)
      await new Promise((resolve) => setTimeout(resolve, 20))
}

describe('a case', () => {
  it('is in the queue, and a rejection puts its listing on sale: on the feed, and on the topic of verdicts', async () => {
    const decision = await held('cleared')
    const queue = await call<{ items: { caseId: string; openedBy: string; title: string }[] }>(
      'GET',
      '/v1/cases?openedBy=hold&marketplace=demo&sort=risk',
      'analyst',
    )
    expect(queue.body.items.find((one) => one.caseId === decision.caseId)).toMatchObject({
      openedBy: 'hold',
      outcome: 'hold',
      marketplace: 'demo',
      title: 'Rolex Submariner 1:1 super clone, best replica',
    })
    const verdictId = randomUUID()
    const word = {
      verdictId,
      verdict: 'rejected',
      reason: 'genuine',
      note: 'serial checked',
      decisionId: decision.decisionId,
    }
    const first = await say(decision.caseId, 'analyst', word)
    expect(first.body).toMatchObject({
      status: 'recorded',
      verdictIds: [verdictId],
      decision: { outcome: 'allow', stage: 'review', sequence: 2 },
      stands: { state: 'resolved', outcome: 'allow', sequence: 2 },
    })
    // A request that is repeated counts once; another content under its id is refused.
    expect((await say(decision.caseId, 'analyst', word)).body).toMatchObject({
      status: 'known',
      stands: { sequence: 2 },
    })
    const reused = await say(decision.caseId, 'analyst', { ...word, verdict: 'confirmed' })
    expect([reused.status, reused.body.code]).toEqual([409, 'verdict-reused'])

    expect((await feedOf('cleared')).map((d) => [d.stage, d.outcome, d.sequence])).toEqual([
      ['screening', 'hold', 1],
      ['review', 'allow', 2],
    ])
    const events = await verdictEvents('cleared')
    expect(events).toMatchObject([{ from: GATE_SOURCE, verdictId, verdict: 'rejected', caseId: decision.caseId }])
    // Our own reader passes over it: nothing is decided a second time.
    await ownVerdictsRead()
    expect(await feedOf('cleared')).toHaveLength(2)
    const { body } = await look(decision.caseId, 'analyst')
    expect(body).toMatchObject({ state: 'resolved', verdicts: [{ verdict: 'rejected', note: 'serial checked' }] })
    expect(body.decisions.map((d) => d.sequence)).toEqual([1, 2])
  })

  it('that is confirmed blocks; the next word is refused with what stands; in its place it holds again', async () => {
    const decision = await held('confirmed')
    const first = await say(decision.caseId, 'rolex', { verdict: 'confirmed', reason: 'no such model' })
    expect(first.body).toMatchObject({
      decision: { outcome: 'block' },
      stands: { outcome: 'block', state: 'resolved' },
    })
    const second = await say(decision.caseId, 'analyst', { verdict: 'rejected' })
    expect(second.body).toMatchObject({
      status: 409,
      code: 'already-decided',
      stands: { outcome: 'block', sequence: 2 },
    })

    const [supersedes] = first.body.verdictIds
    const undone = await say(decision.caseId, 'rolex', { verdict: 'cannot-tell', supersedes })
    expect(undone.body).toMatchObject({ decision: { outcome: 'hold' }, stands: { outcome: 'hold', state: 'open' } })
    expect(undone.body.decision?.hold?.until).toBeDefined()
    const late = await say(decision.caseId, 'rolex', { verdict: 'rejected', supersedes })
    expect([late.status, late.body.code]).toEqual([409, 'already-decided'])
    expect((await feedOf('confirmed')).map((d) => d.outcome)).toEqual(['hold', 'block', 'hold'])
    expect((await verdictEvents('confirmed')).map((v) => v.verdict)).toEqual(['confirmed', 'cannot-tell'])
  })

  it('opens again when its seller answers, and then a new word replaces the one before by itself', async () => {
    const decision = await held('answered')
    const path = '/v1/listings/answered/appeals'
    await say(decision.caseId, 'analyst', { verdict: 'confirmed' })
    const text = 'Here is the invoice of the authorised dealer.'
    expect((await call('POST', path, 'other', { text })).status).toBe(404)
    expect((await call('POST', path, 'ingest', { text: '  ' })).status).toBe(422)
    expect((await call('POST', path, 'ingest', { text: 'x'.repeat(5_001) })).status).toBe(422)
    expect((await call('POST', path, 'ingest', { text })).body).toMatchObject({
      state: 'open',
      outcome: 'block',
      sequence: 2,
    })
    expect((await call('POST', path, 'ingest', { text })).body).toMatchObject({ state: 'open', sequence: 2 })
    const { body } = await look(decision.caseId, 'analyst')
    expect(body).toMatchObject({ state: 'open', openedBy: 'appeal', answers: [{ text }] })
    expect(body.dueAt > new Date().toISOString()).toBe(true)
    expect((await look(decision.caseId, 'rolex')).body.answers).toMatchObject([{ text: null }])

    const upheld = await say(decision.caseId, 'analyst2', { verdict: 'cannot-tell' })
    expect(upheld.body.stands).toMatchObject({ state: 'open', outcome: 'block' })
    const cleared = await say(decision.caseId, 'analyst2', { verdict: 'rejected' })
    expect(cleared.body).toMatchObject({
      decision: { outcome: 'allow' },
      stands: { state: 'resolved', outcome: 'allow' },
    })
    expect((await look(decision.caseId, 'analyst')).body.verdicts.at(-1)).toMatchObject({
      source: 'appeal',
      verdict: 'rejected',
    })
    const pointless = await call<Reviewed>('POST', path, 'ingest', { text: 'Thanks' })
    expect([pointless.status, pointless.body.code]).toEqual([409, 'nothing-to-appeal'])
  })

  it('is taken back or asked about again by analysts only', async () => {
    const decision = await held('reopened')
    const reopen = (as: keyof typeof keys, body: object) =>
      call<Reviewed>('POST', `/v1/cases/${decision.caseId}/reopen`, as, body)
    expect((await reopen('analyst', { reason: 'too early' })).body.code).toBe('case-changed')
    await say(decision.caseId, 'rolex', { verdict: 'rejected' })
    expect((await reopen('rolex', { reason: 'mine' })).status).toBe(403)
    const asked = await reopen('analyst', { reason: 'a second look' })
    expect(asked.body).toMatchObject({ decision: null, stands: { state: 'open', outcome: 'allow' } })
    await say(decision.caseId, 'rolex', { verdict: 'confirmed' })
    const back = await reopen('analyst', { reason: 'wrong case', takeBack: true })
    expect(back.body).toMatchObject({ decision: { outcome: 'hold' }, stands: { state: 'open', outcome: 'hold' } })
    expect((await look(decision.caseId, 'analyst')).body.openedBy).toBe('review')
  })

  it('is one reviewer’s at a time', async () => {
    const decision = await held('claimed')
    const claim = (as: keyof typeof keys, seconds: number) =>
      call<{ claimedUntil: string | null; code?: string }>('POST', `/v1/cases/${decision.caseId}/claim`, as, {
        seconds,
      })
    expect((await claim('omega', 60)).status).toBe(404)
    expect((await claim('analyst', 60)).body.claimedUntil).not.toBeNull()
    const [taken] = [await claim('rolex', 60)]
    expect([taken.status, taken.body.code]).toEqual([409, 'case-claimed'])
    const mine = async (as: keyof typeof keys, claimed: string) =>
      (await call<{ items: { caseId: string }[] }>('GET', `/v1/cases?claimed=${claimed}`, as)).body.items.some(
        (one) => one.caseId === decision.caseId,
      )
    expect([await mine('analyst', 'me'), await mine('analyst2', 'me'), await mine('analyst2', 'yes')]).toEqual([
      true,
      false,
      true,
    ])
    expect((await look(decision.caseId, 'rolex')).body.claim).toMatchObject({ by: null })
    expect((await claim('analyst', 0)).body.claimedUntil).toBeNull()
    expect((await claim('rolex', 60)).status).toBe(200)
    await say(decision.caseId, 'rolex', { verdict: 'rejected' })
    expect((await claim('rolex', 60)).body.code).toBe('case-changed')
  })

  it('went over to a newer revision: a word on the one that was looked at is refused', async () => {
    const decision = await held('edited')
    await held('edited', { revision: 2, title: 'Rolex Daytona 1:1 super clone, best replica' })
    const late = await say(decision.caseId, 'analyst', { verdict: 'rejected', decisionId: decision.decisionId })
    expect(late.body).toMatchObject({ code: 'case-changed', stands: { revision: 2, outcome: 'hold' } })
    const foreign = await say(decision.caseId, 'analyst', { verdict: 'rejected', decisionId: randomUUID() })
    expect([foreign.status, foreign.body.code]).toEqual([422, 'unknown-decision'])
    expect((await say(decision.caseId, 'analyst', { verdict: 'rejected' })).body.stands).toMatchObject({
      revision: 2,
      outcome: 'allow',
    })
  })
})

describe('a rights holder', () => {
  it('sees only its own in a case of several brands, and speaks for its own brand', async () => {
    const decision = await held('several', {
      title: 'Rolex and Omega watches, 1:1 super clone replica',
      brand: 'Rolex',
    })
    const { body: whole } = await look(decision.caseId, 'analyst')
    expect(whole.brandIds.toSorted()).toEqual(['omega', 'rolex'])
    const unclear = await say(decision.caseId, 'both', { verdict: 'rejected' })
    expect([unclear.status, unclear.body.path]).toEqual([422, '/brandId'])
    const foreign = await say(decision.caseId, 'rolex', { verdict: 'rejected', brandId: 'omega' })
    expect([foreign.status, foreign.body.path]).toEqual([422, '/brandId'])

    const first = await say(decision.caseId, 'rolex', { verdict: 'rejected', note: 'our dealer in Basel' })
    expect(first.body).toMatchObject({ status: 'recorded', decision: null, stands: { state: 'open', outcome: 'hold' } })
    const again = await say(decision.caseId, 'rolex', { verdict: 'confirmed' })
    expect([again.status, again.body.code]).toEqual([409, 'already-decided'])

    const { text, body } = await look(decision.caseId, 'omega')
    expect(body.brandIds).toEqual(['omega'])
    expect(body.verdicts).toEqual([])
    expect(body.listing.seller).toBeUndefined()
    expect(whole.listing.seller).toMatchObject({ complaintCount: 3 })
    expect(text).not.toContain('our dealer')
    expect(text).not.toMatch(/"rolex"/)
    const stranger = await say(decision.caseId, 'omega', { verdict: 'confirmed', supersedes: first.body.verdictIds[0] })
    expect([stranger.status, stranger.body.path]).toEqual([422, '/supersedes'])

    const last = await say(decision.caseId, 'both', { verdict: 'rejected', brandId: 'omega' })
    expect(last.body).toMatchObject({ decision: { outcome: 'allow' }, stands: { state: 'resolved' } })
    expect((await look(decision.caseId, 'omega')).body.verdicts).toHaveLength(1)
  })

  it('does not learn of cases of others, whichever way it asks', async () => {
    const decision = await held('foreign')
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['POST', '/claim', { seconds: 60 }],
      ['POST', '/verdict', { verdict: 'confirmed' }],
    ] as const) {
      const answer = await call<{ code: string }>(method, `/v1/cases/${decision.caseId}${path}`, 'omega', body)
      expect([answer.status, answer.body.code]).toEqual([404, 'not-found'])
    }
    for (const query of ['', '?state=any', '?brand=rolex&state=any', '?sort=risk']) {
      const { body } = await call<{ items: { caseId: string }[] }>('GET', `/v1/cases${query}`, 'omega')
      expect(body.items.some((one) => one.caseId === decision.caseId)).toBe(false)
    }
    const own = await call<{ items: { caseId: string }[] }>('GET', '/v1/cases?brand=rolex&limit=200', 'rolex')
    expect(own.body.items.some((one) => one.caseId === decision.caseId)).toBe(true)
  })

  it('reads of a verdict for all brands what was said, not its words', async () => {
    const decision = await held('words')
    await say(decision.caseId, 'analyst', { verdict: 'confirmed', reason: 'as with that other brand', note: 'secret' })
    const { body } = await look(decision.caseId, 'rolex')
    expect(body.verdicts).toMatchObject([
      { verdict: 'confirmed', reason: null, note: null, by: { subject: 'analyst' } },
    ])
  })
})

describe('the audit sample', () => {
  it('goes on sale with a case; confirmed it is blocked, taken back it is on sale and looked at again', async () => {
    await policy({ thresholds: { hold: 1, block: 1 }, audit: { share: 1, dueSeconds: 60 } })
    const { body: drawn } = await call<Decision>('POST', '/v1/listings', 'ingest', {
      listingId: 'drawn',
      revision: 1,
      sellerId: 'S-1',
      title: 'Handmade ceramic mug',
    })
    expect(drawn).toMatchObject({ outcome: 'allow', audit: true })
    expect((await look(drawn.caseId, 'analyst')).body).toMatchObject({ state: 'open', openedBy: 'audit' })
    const first = await say(drawn.caseId, 'analyst', { verdict: 'confirmed' })
    expect(first.body).toMatchObject({ decision: { outcome: 'block' }, stands: { state: 'resolved' } })
    const undone = await say(drawn.caseId, 'analyst', { verdict: 'cannot-tell', supersedes: first.body.verdictIds[0] })
    expect(undone.body).toMatchObject({ decision: { outcome: 'allow' }, stands: { state: 'open', outcome: 'allow' } })
    const last = await say(drawn.caseId, 'analyst', { verdict: 'rejected' })
    expect(last.body).toMatchObject({ stands: { state: 'resolved', outcome: 'allow' } })
    expect((await look(drawn.caseId, 'analyst')).body.verdicts.map((v) => v.source)).toEqual([
      'audit',
      'audit',
      'audit',
    ])

    const metrics = await (await fetch(http.metricsUrl)).text()
    expect(metrics).toMatch(/^touchstone_audits_total 1$/m)
    expect(metrics).toMatch(/^touchstone_appeals_total 1$/m)
    expect(metrics).toMatch(/^touchstone_verdicts_total\{verdict="rejected"\} [1-9]/m)
    expect(metrics).toMatch(/^touchstone_open_cases [1-9]/m)
  })
})
