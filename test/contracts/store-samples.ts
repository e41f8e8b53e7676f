// Settlements for the store's tests: every wanted revision that is not decided yet gets one decision, like the gate's own.
import { randomUUID } from 'node:crypto'
import type { Decision } from '../../src/domain/decision.ts'
import type { Outcome } from '../../src/domain/policy.ts'
import type { GateStore, OutboxRow, Settlement, Standing, StandingUpdate } from '../../src/pipeline/ports.ts'

export const GROUP = 'gate'
export const INPUT = 'test.listings.v1'
export const DECISIONS = 'test.decisions.v1'
export const DEAD_LETTERS = 'test.dead-letters.v1'
/** Only reviewing writes to it. */
export const VERDICTS = 'test.verdicts.v1'
export const OUTPUTS = { [DECISIONS]: 4, [DEAD_LETTERS]: 2 }

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
export const hashOf = (listingId: string, revision: number): string =>
  Buffer.from(`${listingId}@${revision}`).toString('hex').padEnd(64, '0').slice(0, 64)

export interface Wanted {
  readonly listingId: string
  readonly revision: number
}

export interface Sample {
  readonly outcome?: Outcome
  readonly holdUntil?: string
  readonly marketplace?: string
  readonly stage?: Decision['stage']
}

export function decisionOf(standing: Standing | StandingUpdate, revision: number, sample: Sample = {}): Decision {
  const at = new Date().toISOString()
  return {
    decisionId: randomUUID(),
    listingId: standing.listingId,
    revision,
    sequence: standing.sequence + 1,
    contentHash: hashOf(standing.listingId, revision),
    ...(sample.marketplace === undefined ? {} : { marketplace: sample.marketplace }),
    sellerId: 'S-1',
    submittedAt: '2026-01-01T00:00:00.000Z',
    decidedAt: at,
    stage: sample.stage ?? 'screening',
    outcome: sample.outcome ?? 'allow',
    risk: 0.25,
    riskClass: 'low',
    brandIds: [],
    reasons: [],
    base: -1.1,
    signals: [],
    rules: [],
    policy: { policyId: 'default', version: 1 },
    models: {},
    ...(sample.holdUntil === undefined ? {} : { hold: { until: sample.holdUntil, onDeadline: 'block' as const } }),
    degraded: false,
    audit: false,
  }
}

export const outboxRow = (decision: Decision, marketplace: string | null = null): OutboxRow => ({
  topic: DECISIONS,
  key: utf8(decision.listingId),
  value: utf8(JSON.stringify(decision)),
  headers: { ce_type: utf8('touchstone.listing.decided.v1') },
  marketplace,
})

export const NOTHING: Settlement = { standings: [], revisions: [], decisions: [], cases: [], refusals: [], outbox: [] }

/** Decides what is not decided yet; the same revision twice in one batch counts once. */
export function decide(
  wanted: readonly Wanted[],
  standings: ReadonlyMap<string, Standing>,
  sample: Sample = {},
): Settlement {
  const now = new Map<string, StandingUpdate>()
  const decisions: Decision[] = []
  for (const { listingId, revision } of wanted) {
    const before = standings.get(listingId)
    if (before === undefined) throw new Error(`no standing of ${listingId}`)
    const standing: StandingUpdate = now.get(listingId) ?? { ...before, holdUntil: null }
    if (revision <= standing.revision) continue
    const decision = decisionOf(standing, revision, sample)
    decisions.push(decision)
    now.set(listingId, {
      listingId,
      marketplace: sample.marketplace ?? null,
      sellerId: 'S-1',
      revision,
      sequence: decision.sequence,
      outcome: decision.outcome,
      withdrawnRevision: standing.withdrawnRevision,
      caseId: standing.caseId,
      holdUntil: sample.holdUntil ?? null,
    })
  }
  return {
    ...NOTHING,
    standings: [...now.values()],
    revisions: decisions.map((d) => ({
      listing: { listingId: d.listingId, revision: d.revision, sellerId: 'S-1', title: `Title of ${d.listingId}` },
      contentHash: d.contentHash,
      submittedAt: d.submittedAt,
    })),
    decisions,
    outbox: decisions.map((d) => outboxRow(d, sample.marketplace ?? null)),
  }
}

/** Commits listings from where the partition stands, and returns the offset after them. */
export async function commitAll(
  store: GateStore,
  wanted: readonly Wanted[],
  sample: Sample = {},
  partition = 0,
): Promise<bigint> {
  const from = await store.place(GROUP, INPUT, partition, 0n)
  const next = from + BigInt(Math.max(1, wanted.length))
  const result = await store.commit({ group: GROUP, topic: INPUT, partition, from, next }, wanted, (standings) =>
    decide(wanted, standings, sample),
  )
  if (result !== 'committed') throw new Error(`the batch was not committed: ${result}`)
  return next
}

export const listings = (prefix: string, count: number, revision = 1): Wanted[] =>
  Array.from({ length: count }, (_, i) => ({ listingId: `${prefix}-${i}`, revision }))
