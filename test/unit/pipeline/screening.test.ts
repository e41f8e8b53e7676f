// One batch from bytes to a settlement when our own parts misbehave. Real: everything but the signals and the store.
import { describe, expect, it } from 'vitest'
import type { Scorecard } from '../../../src/domain/scorecard.ts'
import { lastHeader } from '../../../src/events/header.ts'
import { topicNames } from '../../../src/events/topics.ts'
import { compileGate } from '../../../src/pipeline/reference.ts'
import type { Batch, LogRecord } from '../../../src/pipeline/log/ports.ts'
import type { GateStore, Settlement } from '../../../src/pipeline/ports.ts'
import { createScreening } from '../../../src/pipeline/screening.ts'
import type { Tally } from '../../../src/pipeline/settle.ts'
import { defaultPolicy } from '../../../src/policy/default.ts'
import type { Finding, Signal } from '../../../src/signals/signal.ts'
import { createTelemetry } from '../../../src/telemetry.ts'
import { signal } from '../../support/made-up-signal.ts'

const TOPICS = topicNames('touchstone')
const card: Scorecard = {
  name: 'fusion',
  version: 'test',
  description: 'test',
  prior: { probability: 0.01, source: 'test' },
  signals: {
    slight: { knots: [{ score: 1, likelihoodRatio: 2, source: 'test' }] },
    steady: {
      knots: [
        { score: 0, likelihoodRatio: 1, source: 'test' },
        { score: 1, likelihoodRatio: 1_000_000, source: 'test' },
      ],
    },
  },
}
class UnfitError extends Error {}

const abstain: Finding = { state: 'abstained', evidence: {} }

async function screen(
  titles: string[],
  signals: Signal[],
  options: { budgetMs?: number; lost?: AbortSignal; refuses?: (settlement: Settlement) => boolean } = {},
) {
  const gate = compileGate(
    { signals, scorecard: card, usdPer: () => 1, budgetMs: options.budgetMs ?? 1_000 },
    { change: 1n, brands: [], policy: defaultPolicy() },
  )
  const records: LogRecord[] = titles.map((title, i) => ({
    offset: BigInt(i),
    appendedAt: new Date(),
    key: Buffer.from(`L-${i}`),
    value: Buffer.from(JSON.stringify({ listingId: `L-${i}`, revision: 1, sellerId: 'S', title })),
    headers: {},
  }))
  const batch: Batch = {
    topic: TOPICS.listings,
    partition: 0,
    from: 0n,
    next: BigInt(titles.length),
    end: BigInt(titles.length),
    records,
  }
  const settlements: Settlement[] = []
  let tally: Tally | undefined
  const tallies: Tally[] = []
  const store: Pick<GateStore, 'commit'> = {
    commit(_batch, _wanted, settle) {
      const settled = settle(new Map(), new Date())
      if (options.refuses?.(settled) === true) return Promise.reject(new UnfitError('no such date'))
      settlements.push(settled)
      return Promise.resolve('committed')
    },
  }
  const telemetry = createTelemetry({ level: 'silent' })
  const result = await createScreening({
    store: store as GateStore,
    gate: () => gate,
    topics: TOPICS,
    group: 'g',
    telemetry,
    draw: () => false,
    maxListingBytes: 10_000,
    maxDeadLetterBytes: 1 << 20,
    isDataError: (error) => error instanceof UnfitError,
    decided: (t) => {
      tally = t
      tallies.push(t)
    },
  })(batch, options.lost ?? new AbortController().signal)
  return {
    result,
    settlement: settlements.at(-1),
    settlements,
    tally,
    tallies,
    metrics: await telemetry.registry.metrics(),
  }
}

describe('a batch with parts that misbehave', () => {
  it('tries a listing whose signal throws once more, then it is a dead letter, and the others are decided', async () => {
    const calls: string[] = []
    const throwing = signal('steady', (listing) => {
      calls.push(listing.title)
      if (listing.title === 'bad') throw new Error('a bug of ours')
      return abstain
    })
    const { tally, settlement, metrics } = await screen(['good', 'bad', 'fine'], [throwing])
    expect(calls.filter((c) => c === 'bad')).toHaveLength(2)
    expect(tally?.decided.map((d) => d.listingId)).toEqual(['L-0', 'L-2'])
    expect(tally?.deadLetters).toEqual(['internal-error'])
    const letter = settlement?.outbox.find((o) => o.topic === TOPICS.deadLetters)
    expect(Buffer.from(lastHeader(letter?.headers ?? {}, 'touchstone-error-message') ?? []).toString()).toBe(
      'a bug of ours',
    )
    expect(Buffer.from(lastHeader(letter?.headers ?? {}, 'touchstone-error-attempts') ?? []).toString()).toBe('2')
    expect(metrics).toContain('touchstone_dead_letters_total{code="internal-error"} 1')
  })

  it('decides a listing whose signal throws only the first time', async () => {
    let first = true
    const flaky = signal('steady', () => {
      if (!first) return abstain
      first = false
      throw new Error('once')
    })
    const { tally } = await screen(['a'], [flaky])
    expect(tally?.decided).toHaveLength(1)
  })

  it('cuts off a signal that hangs: it failed, the decision is degraded, and the next signals have their own time', async () => {
    const hanging = signal('hanging', () => new Promise<Finding>(() => undefined))
    const { tally } = await screen(['a'], [hanging, signal('steady', () => abstain)], { budgetMs: 20 })
    const decision = tally?.decided[0]
    expect(decision?.degraded).toBe(true)
    expect(decision?.signals.map((s) => s.state)).toEqual(['failed', 'abstained'])
  })

  it('tries again what may pass, of a part too, and only what an enforced signal could not look at', async () => {
    const evidence = {}
    const findings: Record<string, Finding> = {
      passing: { state: 'failed', passing: true, reasons: [{ code: 'mend-it', text: 'Mend it.' }], evidence },
      lasting: { state: 'failed', evidence },
      part: { state: 'scored', score: 0, reasons: [], incomplete: true, passing: true, evidence },
      'part for good': { state: 'scored', score: 0, reasons: [], incomplete: true, evidence },
      whole: { state: 'scored', score: 0, reasons: [], evidence },
    }
    const steady = signal('steady', ({ title }) => findings[title] ?? abstain)
    const titles = Object.keys(findings)
    const { tally, settlement } = await screen(titles, [steady])
    expect(tally?.decided.map((d) => [d.outcome, d.degraded, d.hold?.onDeadline])).toEqual([
      ...Array.from({ length: 4 }, () => ['hold', true, 'block']),
      ['allow', false, undefined],
    ])
    expect(tally?.decided.map((d) => d.signals[0]?.incomplete)).toEqual([undefined, undefined, true, true, undefined])
    expect(tally?.decided[0]?.reasons.map((r) => [r.code, r.signal])).toEqual([
      ['mend-it', 'steady'],
      ['check-unavailable', undefined],
    ])
    expect(settlement?.rescreens?.map((r) => r.listingId)).toEqual(['L-0', 'L-2'])
    const shadow = await screen(titles, [{ ...steady, mode: 'shadow' }])
    expect(shadow.settlement?.rescreens).toEqual([])
    expect(shadow.tally?.decided.map((d) => [d.degraded, d.reasons])).toEqual(titles.map(() => [false, []]))
  })

  it('asks no signal once the listing’s time is used up, also where one took it without a pause', async () => {
    const slow = signal('hanging', () => {
      const until = performance.now() + 30
      while (performance.now() < until);
      return abstain
    })
    const { tally } = await screen(['a'], [slow, signal('steady', () => abstain)], { budgetMs: 20 })
    expect(tally?.decided[0]?.signals.map((s) => s.state)).toEqual(['abstained', 'failed'])
  })

  it('commits records one by one where the store cannot take what one says: that one is a dead letter', async () => {
    const refuses = (s: Settlement) => s.decisions.some((d) => d.listingId === 'L-1')
    const { result, tallies, settlements } = await screen(['a', 'b', 'c'], [signal('steady', () => abstain)], {
      refuses,
    })
    expect(result).toBe('committed')
    expect(tallies.flatMap((t) => t.decided.map((d) => d.listingId))).toEqual(['L-0', 'L-2'])
    expect(tallies.flatMap((t) => t.deadLetters)).toEqual(['internal-error'])
    expect(settlements).toHaveLength(3)
  })

  it('records a signal in shadow: it adds nothing to the risk, and its reasons reach no seller', async () => {
    const scored = (name: string, score: number): Signal =>
      signal(name, () => ({ state: 'scored', score, reasons: [{ code: `by-${name}`, text: 't' }], evidence: {} }))
    const shadow: Signal = { ...scored('watching', 1), mode: 'shadow' }
    const { tally } = await screen(['a'], [shadow, scored('steady', 0.5)])
    const decision = tally?.decided[0]
    expect(decision?.outcome).not.toBe('allow')
    expect(decision?.signals[0]).toMatchObject({ name: 'watching', shadow: true, contribution: 0, score: 1 })
    expect(decision?.reasons.map((r) => r.code)).toEqual(['by-steady'])
  })

  it('gives the main reason first: that of the signal that adds most, not of the one that was asked first', async () => {
    const scored = (name: string, score: number): Signal =>
      signal(name, () => ({ state: 'scored', score, reasons: [{ code: `by-${name}`, text: 't' }], evidence: {} }))
    const { tally } = await screen(['a'], [scored('slight', 1), scored('steady', 1)])
    expect(tally?.decided[0]?.reasons.map((r) => r.code)).toEqual(['by-steady', 'by-slight'])
  })

  it('gives up a batch whose partition was taken away, and commits nothing', async () => {
    const { result, settlement } = await screen(['a', 'b'], [signal('steady', () => abstain)], {
      lost: AbortSignal.abort(),
    })
    expect(result).toBe('moved')
    expect(settlement).toBeUndefined()
  })

  it('refuses a record beyond the limit of bytes by name, though its fields would be sound', async () => {
    const { tally, settlement } = await screen(
      ['a', 'x'.repeat(1_000) + '\u00e9'.repeat(4_600)],
      [signal('steady', () => abstain)],
    )
    expect(tally?.refused).toEqual(['too-large'])
    expect(settlement?.refusals[0]?.refusal.message).toMatch(/at most 10000 bytes/)
  })
})
