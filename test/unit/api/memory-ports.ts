// Ports of the HTTP layer in memory, for tests of HTTP behaviour: the intake and its parser are the real ones, the worker is a function.
import { pino } from 'pino'
import { listingDecided, listingRefused } from '../../../src/events/index.ts'
import { topicNames } from '../../../src/events/topics.ts'
import type { ApiKey } from '../../../src/domain/access.ts'
import type { Brand } from '../../../src/domain/brand.ts'
import type { Decision } from '../../../src/domain/decision.ts'
import type { Refusal } from '../../../src/domain/refusal.ts'
import { TouchstoneError } from '../../../src/errors.ts'
import { memoryAccess } from './memory-access.ts'
import { memoryLearning } from './memory-learning.ts'
import { decisionOf, policyOf } from './memory-samples.ts'
import { createApiKey } from '../../../src/api/secrets.ts'
import { createApi } from '../../../src/api/server.ts'
import type { ApiDependencies } from '../../../src/api/services.ts'
import { createIntake } from '../../../src/pipeline/intake.ts'
import { ok } from '../../../src/pipeline/outcome.ts'
import type { Log, NewRecord } from '../../../src/pipeline/log/ports.ts'
import type { FeedEntry, RecordEnd } from '../../../src/pipeline/ports.ts'
import type { PolicyRecord } from '../../../src/rights/ports.ts'

export { decisionOf, policyOf }

export const silent = pino({ level: 'silent' })
export const LISTING = { listingId: 'L-1', revision: 1, sellerId: 'S-9', title: 'A pair of shoes' }

const NOTHING_NEW = { change: 0n, kinds: { brands: 0n, policy: 0n, models: 0n } }

/** A port that the tests with these ports do not get to. */
const unused = <T extends object>(name: string): T =>
  new Proxy({} as T, {
    get: () => () => {
      throw new Error(`${name}: nobody calls this in these tests`)
    },
  })

export function memoryWorld() {
  const records: NewRecord[] = []
  const { keyStore, sessionStore } = memoryAccess()
  const entries: (FeedEntry & { marketplace?: string | undefined })[] = []
  const decided = new Map<string, Decision>()
  const marketplaces = new Map<string, string>()
  const withdrawn = new Map<string, number>()
  const brands = new Map<string, Brand>()
  const policies: PolicyRecord[] = [
    { policy: policyOf(1), publishedAt: '2026-01-01T00:00:00Z', publishedBy: 'test', active: true },
  ]
  /** Title, brand, price and the like of decided listings. */
  const listings = new Map<
    string,
    { title: string; brand?: string; price?: { amount: number; currency: string }; description?: string }
  >()
  const nudges = new Set<() => void>()
  const world = {
    records,
    /** Called for each record that is appended: what the worker would do with it. */
    onAppend: undefined as ((record: NewRecord, offset: number) => void) | undefined,
    /** Before an append: where it fails, or waits. */
    beforeAppend: undefined as (() => Promise<void>) | undefined,
    /** Ends by offset. */
    ends: new Map<number, RecordEnd>(),
    decided,
    marketplaces,
    withdrawn,
    brands,
    policies,
    listings,
    feedCalls: 0,
    markCalls: 0,
    endCalls: 0,
    failEnds: false,
    failPassed: false,
    checks: [{ name: 'store', ok: true, detail: 'answers' }],
    nudge: () => nudges.forEach((n) => n()),
    publish(data: Decision | Refusal, marketplace?: string) {
      const type = 'outcome' in data ? listingDecided.type : listingRefused.type
      entries.push({ cursor: String(entries.length + 1), type, data, marketplace })
      if ('outcome' in data) decided.set(`${data.listingId}/${data.revision}`, data)
    },
    async key(role: ApiKey['role'], bound: { brandIds?: string[]; marketplace?: string } = {}) {
      const { keyId, key, hash } = createApiKey()
      await keyStore.create(
        {
          keyId,
          role,
          brandIds: bound.brandIds ?? [],
          ...(bound.marketplace === undefined ? {} : { marketplace: bound.marketplace }),
        },
        hash,
      )
      return { keyId, key, headers: { authorization: `Bearer ${key}` } }
    },
  }

  const log: Log = {
    ensureTopic: async () => {},
    async append(_topic, given) {
      await world.beforeAppend?.()
      return given.map((record) => {
        records.push(record)
        const offset = records.length - 1
        world.onAppend?.(record, offset)
        return { partition: 0, offset: BigInt(offset) }
      })
    },
    subscribe: () => {
      throw new Error('nobody subscribes in these tests')
    },
    ranges: async () => [],
    backlog: async () => [],
    appendWaitMs: () => 0,
    read: async () => [],
    close: async () => {},
  }
  const decisions: ApiDependencies['decisions'] = {
    async feed(after, limit, marketplace) {
      world.feedCalls += 1
      if (after !== undefined && !/^\d+$/.test(after))
        throw new TouchstoneError('bad-cursor', 'the cursor is not one of ours')
      const from = Number(after ?? 0)
      const page = entries
        .slice(from)
        .filter((e) => marketplace === undefined || e.marketplace === marketplace)
        .slice(0, limit)
      return {
        entries: page.map(({ cursor, type, data }) => ({ cursor, type, data })),
        next: page.at(-1)?.cursor ?? String(entries.length),
      }
    },
    async feedMark() {
      world.markCalls += 1
      return String(entries.length)
    },
    async history(listingId) {
      const all = [...decided.values()].filter((d) => d.listingId === listingId)
      const last = all.at(-1)
      if (last === undefined && !withdrawn.has(listingId)) return undefined
      return {
        listingId,
        marketplace: marketplaces.get(listingId) ?? null,
        current: {
          revision: last?.revision ?? 0,
          outcome: last?.outcome ?? null,
          caseId: null,
          withdrawnRevision: withdrawn.get(listingId) ?? 0,
        },
        revisions: all.map((d) => ({
          revision: d.revision,
          contentHash: d.contentHash,
          submittedAt: d.submittedAt,
          listing: { ...LISTING, ...listings.get(listingId), listingId, revision: d.revision },
        })),
        decisions: all,
        refusals: [],
      }
    },
    async standing(listingId, revision) {
      const decision = decided.get(`${listingId}/${revision}`)
      return decision === undefined ? undefined : { decision, contentHash: decision.contentHash }
    },
    // Everything is passed: whether an end came is what `ends` says.
    passed: async () => {
      if (world.failPassed) throw new Error('the store is away')
      return new Map([[0, BigInt(records.length)]])
    },
    decided: async () => [],
    async endOf(_group, _topic, record) {
      world.endCalls += 1
      if (world.failEnds) throw new Error('the store is away')
      return world.ends.get(Number(record.offset)) ?? { kind: 'pending' }
    },
  }
  const dependencies: ApiDependencies = {
    log: silent,
    explained: (error) => error,
    limits: {
      listingBytes: 10_000,
      ndjsonBytes: 1_000_000,
      ndjsonLines: 1_000,
      pictureBytes: 1_000_000,
      requestsPerMinute: 10_000,
    },
    publicUrl: undefined,
    trustProxy: undefined,
    version: '0.0.0',
    intake: createIntake({ log, topics: topicNames('touchstone'), group: 'gate', maxListingBytes: 10_000 }),
    dryRun: async ({ listing, contentHash }) =>
      ok(decisionOf({ listingId: listing.listingId, revision: listing.revision, contentHash })),
    async publishPolicy(document, by, basedOn) {
      const active = policies.find((p) => p.active)
      if (basedOn !== undefined && active?.policy.version !== basedOn)
        throw new TouchstoneError('policy-conflict', 'another version is active')
      if (typeof document !== 'object' || document === null || !('thresholds' in document)) {
        throw new TouchstoneError('policy-invalid', 'thresholds: is missing', { path: '/thresholds' })
      }
      const record = {
        policy: policyOf(policies.length + 1),
        publishedAt: '2026-01-01T00:00:00Z',
        publishedBy: by,
        active: true,
      }
      policies.splice(0, policies.length, ...policies.map((p) => ({ ...p, active: false })), record)
      return { ...record, warnings: [] }
    },
    rollbackPolicy: async () => {
      throw new TouchstoneError('nothing-to-roll-back', 'there is no earlier version')
    },
    decisions,
    recent: {
      async recent(limit, marketplace) {
        const page = entries.filter((e) => marketplace === undefined || e.marketplace === marketplace).slice(-limit)
        return { entries: page.map(({ cursor, type, data }) => ({ cursor, type, data })), next: String(entries.length) }
      },
    },
    // No case: routes and who may call them are what is tried on these ports.
    cases: { list: async () => ({ items: [], next: undefined }), find: async () => undefined },
    review: {
      verdict: async () => undefined,
      reopen: async () => undefined,
      appeal: async () => undefined,
      stands: async () => undefined,
      claim: async () => undefined,
    },
    summaries: {
      summaries: async (ids) =>
        ids.flatMap(({ listingId, revision }) => {
          const found = listings.get(listingId)
          return found === undefined
            ? []
            : [{ listingId, revision, title: found.title, brand: found.brand, price: found.price }]
        }),
    },
    learning: memoryLearning(),
    reference: {
      change: async () => 0n,
      load: async () => ({ ...NOTHING_NEW, brands: [...brands.values()], policy: undefined, models: [] }),
      news: async () => NOTHING_NEW,
      onChange: async () => async () => {},
      async upsertBrands(given) {
        const added = given.filter((b) => !brands.has(b.brandId)).length
        for (const brand of given) brands.set(brand.brandId, brand)
        return { added, changed: given.length - added, unchanged: 0 }
      },
      brand: async (brandId) => brands.get(brandId),
      async changeBrand(brandId, change) {
        const standing = brands.get(brandId)
        const brand = change(standing)
        brands.set(brandId, brand)
        return { brand, added: standing === undefined }
      },
      policies: async () => policies,
      publishPolicy: async () => {
        throw new Error('the flow is called, not the store')
      },
      rollbackPolicy: async () => {
        throw new Error('the flow is called, not the store')
      },
    },
    banks: unused('banks'),
    keptPictures: unused('kept pictures'),
    reader: unused('the reader of pictures'),
    signals: [{ name: 'price', version: '1', label: 'Price', description: 'd', mode: 'enforce', sources: ['s'] }],
    keys: keyStore,
    sessions: sessionStore,
    probe: async () => world.checks,
    hints: (listener) => {
      nudges.add(listener)
      return () => nudges.delete(listener)
    },
    asyncApi: 'asyncapi: 3.0.0\n',
  }
  return Object.assign(world, { dependencies, sessionStore })
}

export type MemoryWorld = ReturnType<typeof memoryWorld>

export async function memoryApi(change: Partial<ApiDependencies> = {}) {
  const world = memoryWorld()
  const api = await createApi({ ...world.dependencies, ...change })
  await api.ready()
  return { api, world }
}
