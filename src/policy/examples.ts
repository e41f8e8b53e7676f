// A policy's own examples are its tests: one that gives another answer keeps the policy from being published.
import type { Listing } from '../domain/listing.ts'
import type { Policy } from '../domain/policy.ts'
import type { CompiledPolicy } from './compile.ts'
import { decide, type PolicyDecision } from './decide.ts'

type Example = Policy['examples'][number]

/** Tries a listing with all signals against the policy in question. */
export type Assess = (listing: Listing, now: Date) => Promise<PolicyDecision>

/** Examples must pass today and in a year, so accounts are as old as they were on this day. */
const TODAY = new Date('2026-01-01T00:00:00Z')

/** One sentence for every example that does not give what it expects; none when the policy may be published. */
export async function runExamples(compiled: CompiledPolicy, assess?: Assess): Promise<string[]> {
  const failures: string[] = []
  for (const example of compiled.policy.examples) {
    const answer = await answerTo(compiled, example, assess)
    if (typeof answer === 'string') {
      failures.push(`example "${example.name}" ${answer}`)
      continue
    }
    const { outcome, ruleId, onDeadline = answer.onDeadline } = example.expect
    const decided = `${answer.outcome} by ${answer.decidedBy === undefined ? 'the thresholds' : `rule ${answer.decidedBy}`}`
    if (answer.outcome !== outcome) failures.push(`example "${example.name}" expects ${outcome}, got ${decided}`)
    else if (answer.onDeadline !== onDeadline)
      failures.push(`example "${example.name}" expects its hold to end in ${onDeadline}, got ${answer.onDeadline}`)
    else if (ruleId !== undefined && !answer.rules.some((r) => r.ruleId === ruleId && r.error === undefined)) {
      failures.push(`example "${example.name}" expects rule ${ruleId} to apply, got ${decided}`)
    }
  }
  return failures
}

async function answerTo(
  compiled: CompiledPolicy,
  example: Example,
  assess: Assess | undefined,
): Promise<PolicyDecision | string> {
  const listing: Listing = {
    listingId: 'example',
    revision: 1,
    sellerId: 'example',
    title: 'Example',
    ...defined(example.listing),
  }
  const now = listing.submittedAt === undefined ? TODAY : new Date(listing.submittedAt)
  const { risk } = example
  if (risk === undefined) {
    if (example.listing === undefined) return 'has neither a risk nor a listing'
    return assess === undefined
      ? 'has a listing and no risk, and there are no signals here to try it'
      : assess(listing, now)
  }
  const failed = example.failedSignals.map((name) => ({
    name,
    version: '0',
    state: 'failed' as const,
    contribution: 0,
    evidence: {},
    durationMs: 0,
  }))
  return decide(compiled, {
    risk: { risk, base: 0, signals: failed, model: 'example' },
    listing,
    brandIds: example.brandIds,
    brands: new Map(),
    usdPer: (currency) => (currency === 'USD' ? 1 : undefined),
    now,
    authorisedSeller: example.authorisedSeller,
  })
}

function defined(listing: Example['listing']): Partial<Listing> {
  return Object.fromEntries(Object.entries(listing ?? {}).filter(([, value]) => value !== undefined))
}
