// One listing, tried: its text read once, every signal asked, the risk fused, the policy's answer. Nothing is recorded here.
import type { Brand } from '../domain/brand.ts'
import type { Reason } from '../domain/decision.ts'
import type { Listing } from '../domain/listing.ts'
import type { Risk } from '../domain/risk.ts'
import { goodsKind } from '../listing/goods-kind.ts'
import { decide, OUT_OF_TIME, type CompiledPolicy, type PolicyDecision } from '../policy/decide.ts'
import { fuse } from '../risk/fuse.ts'
import type { Scorecard } from '../domain/scorecard.ts'
import type { Signal, SignalContext } from '../signals/signal.ts'
import type { BankIndex, BankMatch } from '../signals/image-hash/ports.ts'
import type { TextModel } from '../signals/text-model/ports.ts'
import type { BrandDictionary } from '../text/brand-dictionary.ts'
import { readListing } from '../text/reading.ts'
import { isLate, isPassing, type Picture } from '../imaging/picture.ts'
import { askAll } from './asking.ts'
import { isAtHand } from './pictures/at-hand.ts'
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
  /** Milliseconds that reading a listing and its signals may take; as long may each signal wait, and rules take, besides. */
  readonly budgetMs: number
  /** Where pictures are got and read; without one nobody looks at them. */
  readonly pictures?: PictureSource | undefined
  readonly banks?: BankIndex | undefined
  readonly textModel?: TextModel | undefined
}

export interface Assessment {
  readonly risk: Risk
  /** Named by the listing's words. */
  readonly brandIds: readonly string[]
  /** That know what an enforced signal found, whether or not the listing names them. */
  readonly knownTo: readonly string[]
  readonly reasons: readonly Reason[]
  readonly answer: PolicyDecision
  /** What an enforced signal or rule could not look at may be there when it is asked again. */
  readonly passing: boolean
  /** The same, if that is soon after the listing came. */
  readonly late: boolean
  readonly models: Readonly<Record<string, string>>
  /** Of those, the ones that carry an earlier version which decided in their place, with that one. */
  readonly modelParts?: Readonly<Record<string, string>>
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
  const began = performance.now()
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
  const asked = await askAll(gate.signals, listing, context, {
    budgetMs: gate.budgetMs,
    spentMs: performance.now() - began,
  })
  const reasons: Reason[] = []
  const knownTo = new Set<string>()
  let passing = false
  let late = false
  for (const { signal, finding } of asked) {
    if (finding.state === 'abstained' || signal.mode !== 'enforce') continue
    passing ||= finding.passing === true
    late ||= finding.late === true
    if (finding.state === 'scored') for (const brandId of finding.knownTo ?? []) knownTo.add(brandId)
    for (const reason of finding.reasons ?? []) reasons.push({ ...reason, signal: signal.name })
  }
  const risk = fuse(
    gate.scorecard,
    asked.map(({ result }) => result),
    listing.marketplace,
  )
  // Rules are the marketplace's own and cheap: whatever signals waited for, they have a time of their own.
  const rulesBegan = performance.now()
  const answer = decide(gate.policy, {
    risk,
    listing,
    brandIds: reading.brandIds,
    knownTo: [...knownTo],
    brands: gate.brands,
    usdPer: gate.usdPer,
    now,
    mayGoOn: () => performance.now() - rulesBegan < gate.budgetMs,
  })
  // The main reason first: by what its signal adds to the risk, then by the signal's own order.
  const weight = new Map(risk.signals.map((s) => [s.name, s.contribution]))
  const ordered = reasons.sort((a, b) => (weight.get(b.signal ?? '') ?? 0) - (weight.get(a.signal ?? '') ?? 0))
  return {
    risk,
    brandIds: reading.brandIds,
    knownTo: [...knownTo],
    reasons: ordered,
    answer,
    passing: passing || answer.rules.some((rule) => rule.mode === 'enforce' && rule.error === OUT_OF_TIME),
    late,
    models: modelsOf(gate, risk),
    ...(risk.part === undefined ? {} : { modelParts: { fusion: risk.part } }),
    pictures,
    bankMatches,
  }
}

/** What a host has not got an hour after the listing came it was not given, or has taken away: it is not asked again. */
const LATE_SECONDS = 3_600

/**
 * Whether trying the listing again later may say more: it was decided without something that could not be looked at, and
 * not for what a picture is. `age`: seconds since it was first decided. Where bytes that came inline are not at hand it would
 * only be tried without them.
 */
export function mayBeMended({ answer, passing, late }: Assessment, listing: Listing, age = 0): boolean {
  const mends = passing || (late && age < LATE_SECONDS)
  return answer.degraded && mends && listing.images?.every(isAtHand) !== false
}

/**
 * Whether one of its pictures that was not seen may be when it is looked at later, whatever was decided without it: where
 * nothing can be compared with it no signal fails, and people look at it all the same. `age` as in `mayBeMended`.
 */
export function mayBeSeenLater({ pictures }: Assessment, { images = [] }: Listing, age = 0): boolean {
  return pictures.some(
    (picture, at) => (isPassing(picture) || (isLate(picture) && age < LATE_SECONDS)) && isAtHand(images[at] ?? {}),
  )
}

/** What is looked up for one listing is noted: who watches the banks must know which of their pictures it met. */
function noting(banks: BankIndex | undefined, marketplace: string | null, matches: BankMatch[]): BankIndex | undefined {
  if (banks === undefined) return undefined
  return {
    size: banks.size,
    against: banks.against,
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
