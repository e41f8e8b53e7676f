// A running gate with its HTTP server, and keys of reviewers, rights holders and marketplaces: for the stories of reviewing.
import { expect } from 'vitest'
import { createKeyStore } from '../../src/adapters/postgres/access-store.ts'
import { readAuditSecret } from '../../src/adapters/postgres/audit-secret.ts'
import { createApiKey } from '../../src/api/secrets.ts'
import { startGate, type RunningGate } from '../../src/apps/gate.ts'
import { startHttp, type RunningHttp } from '../../src/apps/http.ts'
import { readConfig } from '../../src/config.ts'
import type { Role } from '../../src/domain/access.ts'
import type { Decision } from '../../src/domain/decision.ts'
import { lastHeader } from '../../src/events/header.ts'
import { defaultPolicy } from '../../src/policy/default.ts'
import { createTelemetry, type Telemetry } from '../../src/telemetry.ts'
import { freshDatabase, type FreshDatabase } from '../support/database.ts'
import { until } from '../support/until.ts'

let database: FreshDatabase
let gate: RunningGate
let http: RunningHttp
let telemetry: Telemetry
export let keys: Record<'ingest' | 'other' | 'analyst' | 'analyst2' | 'rolex' | 'omega' | 'both', string>

/** Everything of it, with a policy that holds instead of blocking. */
export async function openReviewing(): Promise<void> {
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
}

export async function closeReviewing(): Promise<void> {
  await http?.stop()
  await gate?.stop()
  await database?.drop()
}

async function key(role: Role, bound: { brandIds?: string[]; marketplace?: string } = {}): Promise<string> {
  const made = createApiKey()
  const { brandIds = [], ...more } = bound
  await createKeyStore(gate.database.database.reading).create({ keyId: made.keyId, role, brandIds, ...more }, made.hash)
  return made.key
}

/** Publishes the shipped policy with changes, and waits until the running gate decides with it. */
export async function policy(change: object): Promise<void> {
  const { version: _, ...document } = { ...defaultPolicy(), examples: [], ...change }
  const made = await call('POST', '/v1/policies/publish', 'analyst', document)
  const { version } = (made.body as { policy: { version: number } }).policy
  await until('the policy is live', () => gate.live.current().policy.policy.version === version)
}

export interface Reviewed {
  status: string
  verdictIds: string[]
  decision: Decision | null
  earlier: { verdictId: string; revision: number; brandId: string | null }[]
  stands: { caseId: string; state: string; revision: number; decisionId: string; outcome: string; sequence: number }
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

export const raw = (path: string, as: keyof typeof keys, { headers, ...init }: RequestInit = {}) =>
  fetch(`${http.url}${path}`, {
    ...init,
    headers: { ...(headers as Record<string, string>), authorization: `Bearer ${keys[as]}`, prefer: 'wait=20' },
  })

export async function call<T = Record<string, unknown>>(
  method: string,
  path: string,
  as: keyof typeof keys,
  body?: unknown,
) {
  const response = await raw(path, as, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, text, body: JSON.parse(text) as T }
}

/** Without `decisionId` it is on the decision that the case shows last. */
export async function say(caseId: string | undefined, as: keyof typeof keys, verdict: object) {
  const decisionId = (await look(caseId, 'analyst')).body.decisions.at(-1)?.decisionId
  return call<Reviewed>('POST', `/v1/cases/${caseId}/verdict`, as, { decisionId, ...verdict })
}
export const look = (caseId: string | undefined, as: keyof typeof keys) =>
  call<Details>('GET', `/v1/cases/${caseId}`, as)

/** Of goods that are held, unless `more` says otherwise. */
export const submitted = (listingId: string, more: object = {}, as: keyof typeof keys = 'ingest') =>
  call<Decision>('POST', '/v1/listings', as, {
    listingId,
    revision: 1,
    sellerId: 'S-1',
    seller: { complaintCount: 3, country: 'CN' },
    title: 'Rolex Submariner 1:1 super clone, best replica',
    condition: 'new',
    price: { amount: 189, currency: 'USD' },
    ...more,
  })

/** A listing that is held; its decision. */
export async function held(listingId: string, more: object = {}): Promise<Decision> {
  const { body } = await submitted(listingId, more)
  expect(body.outcome).toBe('hold')
  return body
}

/** Where a listing stands as its marketplace is told. */
export const standingOf = async (listingId: string) =>
  (
    await call<{ current: { withdrawnRevision: number; sequence: number; outcome: string } }>(
      'GET',
      `/v1/listings/${listingId}`,
      'ingest',
    )
  ).body.current

/** Its seller takes it back, and the worker has heard of it. */
export async function withdraw(listingId: string, revision: number): Promise<void> {
  await call('POST', `/v1/listings/${listingId}/withdrawals`, 'ingest', { revision })
  await until('it is withdrawn', async () => (await standingOf(listingId)).withdrawnRevision === revision)
}

export const feedOf = async (listingId: string) =>
  (await call<{ items: { data: Decision }[] }>('GET', '/v1/decisions?limit=1000', 'ingest')).body.items
    .map((item) => item.data)
    .filter((d) => d.listingId === listingId)

/** What stands on the verdicts topic of one listing once everything is published. */
export async function verdictEvents(listingId: string) {
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
export async function ownVerdictsRead(): Promise<void> {
  const { log, topics, groups, store } = gate
  for (const { partition, low, high } of await log.ranges(topics.verdicts))
    while ((await store.place(groups.verdicts, topics.verdicts, partition, low)) < high)
      await new Promise((resolve) => setTimeout(resolve, 20))
}

export const address = (): string => http.url

export const auditSecret = (): Promise<string> => readAuditSecret(gate.database.database.reading)

export const metricsText = async (): Promise<string> => (await fetch(http.metricsUrl)).text()
