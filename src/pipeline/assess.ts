// One listing, tried: its text read once, every signal asked, the risk fused, the policy's answer. Nothing is recorded here.
import type { Brand } from '../domain/brand.ts'
import type { Reason } from '../domain/decision.ts'
import type { Listing } from '../domain/listing.ts'
import type { Risk } from '../domain/risk.ts'
import type { SignalResult } from '../domain/signal-result.ts'
import { goodsKind } from '../listing/goods-kind.ts'
import { decide, OUT_OF_TIME, type CompiledPolicy, type PolicyDecision } from '../policy/decide.ts'
import { fuse } from '../risk/fuse.ts'
import type { Scorecard } from '../domain/scorecard.ts'
import type { Finding, Signal, SignalContext } from '../signals/signal.ts'
import type { BankIndex, BankMatch } from '../signals/image-hash/ports.ts'
import type { TextModel } from '../signals/text-model/ports.ts'
import type { BrandDictionary } from '../text/brand-dictionary.ts'
import { readListing } from '../text/reading.ts'
import type { Picture } from '../imaging/picture.ts'
import type { PictureSource } from './pictures/ports.ts'

/** One consistent, compiled state of everything that a decision depends on; swapped whole, never changed. */
export interface Gate {
  readonly change: bigint
  readonly signals: readonly Signal[]
  readonly brands: ReadonlyMap<string, Brand>
  readonly dictionary: BrandDictionary
  readonly scorecard: Scorecard
  readonly policy: CompiledPolicy
  readonly usdPer: (currency: string) => number | undefined
  /** Milliseconds that reading, signals and rules of one listing may take together. */
  readonly budgetMs: number
  /** Where pictures are got and read; without one nobody looks at them. */
  readonly pictures?: PictureSource | undefined
  readonly banks?: BankIndex | undefined
  readonly textModel?: TextModel | undefined
}

export interface Assessment {
  readonly risk: Risk
  readonly brandIds: readonly string[]
  readonly reasons: readonly Reason[]
  readonly answer: PolicyDecision
  /** What an enforced signal or rule could not look at may be there when it is asked again. */
  readonly passing: boolean
  /** The same, if that is soon after the listing came. */
  readonly late: boolean
  readonly models: Readonly<Record<string, string>>
  /** One for each image, in their order; empty where nobody looked. */
  readonly pictures: readonly Picture[]
  /** Of all pictures together: what they are like in the banks. */
  readonly bankMatches: readonly BankMatch[]
}

/** The pictures of a listing, got and read within a time of their own: waiting for hosts takes nothing from the signals'. */
export async function lookAt(gate: Gate, listing: Listing, until?: AbortSignal): Promise<readonly Picture[]> {
  return gate.pictures === undefined || listing.images === undefined
    ? []
    : await gate.pictures.look(listing.images, until, listing)
}

/**
 * Tries one listing against one gate at one instant. Who tries many looks at their pictures ahead, and hands them in.
 * Throws only what a signal or the reading threw: a bug of ours.
 */
export async function assess(
  gate: Gate,
  listing: Listing,
  now: Date,
  looked?: readonly Picture[],
): Promise<Assessment> {
  const pictures = looked ?? (await lookAt(gate, listing))
  const deadline = performance.now() + gate.budgetMs
  const reading = readListing(listing, gate.dictionary)
  const bankMatches: BankMatch[] = []
  const context: SignalContext = {
    reading,
    brand: (brandId) => gate.brands.get(brandId),
    kind: goodsKind(listing),
    usdPer: gate.usdPer,
    pictures,
    banks: noting(gate.banks, listing.marketplace ?? null, bankMatches),
    textModel: gate.textModel,
  }
  const results: SignalResult[] = []
  const reasons: Reason[] = []
  let spent = false
  let passing = false
  let late = false
  for (const signal of gate.signals) {
    const started = performance.now()
    // A signal that is never asked could not look: that is a failure, which the policy weighs, not an abstention.
    const finding: Finding =
      spent || started >= deadline ? OVER_BUDGET : await within(deadline - started, signal.evaluate(listing, context))
    spent ||= finding === OVER_BUDGET
    results.push({
      name: signal.name,
      version: signal.version,
      state: finding.state,
      ...(finding.state === 'scored' ? { score: finding.score } : {}),
      ...(finding.state === 'scored' && finding.incomplete === true ? { incomplete: true } : {}),
      contribution: 0,
      evidence: finding.evidence,
      durationMs: Math.round((performance.now() - started) * 1000) / 1000,
      ...(signal.mode === 'shadow' ? { shadow: true } : {}),
    })
    if (finding.state !== 'abstained' && signal.mode === 'enforce') {
      passing ||= finding.passing === true
      late ||= finding.late === true
      for (const reason of finding.reasons ?? []) reasons.push({ ...reason, signal: signal.name })
    }
  }
  const risk = fuse(gate.scorecard, results, listing.marketplace)
  const answer = decide(gate.policy, {
    risk,
    listing,
    brandIds: reading.brandIds,
    brands: gate.brands,
    usdPer: gate.usdPer,
    now,
    mayGoOn: () => performance.now() < deadline,
  })
  // The main reason first: by what its signal adds to the risk, then by the signal's own order.
  const weight = new Map(risk.signals.map((s) => [s.name, s.contribution]))
  const ordered = reasons.sort((a, b) => (weight.get(b.signal ?? '') ?? 0) - (weight.get(a.signal ?? '') ?? 0))
  return {
    risk,
    brandIds: reading.brandIds,
    reasons: ordered,
    answer,
    passing: passing || answer.rules.some((rule) => rule.mode === 'enforce' && rule.error === OUT_OF_TIME),
    late,
    models: modelsOf(gate, risk),
    pictures,
    bankMatches,
  }
}

/** What a host has not got an hour after the listing came it was not given, or has taken away: it is not asked again. */
const LATE_SECONDS = 3_600

/**
 * Whether trying the listing again later may say more: it was decided without something that could not be looked at, and
 * not for what a picture is. `age`: seconds since it was first decided. Pictures sent inline are not stored, so such a
 * listing would only be tried without them.
 */
export function mayBeMended({ answer, passing, late }: Assessment, listing: Listing, age = 0): boolean {
  const mends = passing || (late && age < LATE_SECONDS)
  return answer.degraded && mends && listing.images?.some((image) => image.url === undefined) !== true
}

/** What is looked up for one listing is noted: who watches the banks must know which of their pictures it met. */
function noting(banks: BankIndex | undefined, marketplace: string | null, matches: BankMatch[]): BankIndex | undefined {
  if (banks === undefined) return undefined
  return {
    size: banks.size,
    change: banks.change,
    match(picture) {
      const found = banks.match(picture, marketplace)
      matches.push(...found)
      return found
    },
  }
}

const modelsOf = ({ textModel }: Gate, risk: Risk): Assessment['models'] => ({
  fusion: risk.model,
  ...(textModel === undefined ? {} : { text: textModel.version }),
})

const OVER_BUDGET: Finding = { state: 'failed', passing: true, evidence: { why: OUT_OF_TIME } }

async function within(milliseconds: number, finding: Finding | Promise<Finding>): Promise<Finding> {
  if (!(finding instanceof Promise)) return finding
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Finding>((resolve) => {
    timer = setTimeout(() => resolve(OVER_BUDGET), milliseconds)
  })
  try {
    return await Promise.race([finding, late])
  } finally {
    clearTimeout(timer)
  }
}
