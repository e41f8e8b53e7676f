// All signals asked about one listing, beside each other: what one waits for is its own time, and nobody else's.
import type { SignalResult } from '../domain/signal-result.ts'
import type { Listing } from '../domain/listing.ts'
import { OUT_OF_TIME } from '../policy/decide.ts'
import type { Finding, Signal, SignalContext } from '../signals/signal.ts'

export interface Asked {
  readonly signal: Signal
  readonly finding: Finding
  /** As it is recorded; what it adds to the risk is not known yet. */
  readonly result: SignalResult
}

/**
 * Every signal has `budgetMs` milliseconds for what it waits for (threads, turns). What signals compute at once, one after
 * the other, has as long together, and so much of it is `spentMs` already: texts that attackers choose hold nobody up. So
 * a model that is slow costs its own signal, in whatever order they are asked.
 *
 * Rejects with what a signal threw, when all have been asked: a bug of ours.
 */
export async function askAll(
  signals: readonly Signal[],
  listing: Listing,
  context: SignalContext,
  { budgetMs, spentMs }: { readonly budgetMs: number; readonly spentMs: number },
): Promise<readonly Asked[]> {
  let spent = spentMs
  const ask = async (signal: Signal): Promise<Asked> => {
    const began = performance.now()
    // A signal that is never asked could not look: that is a failure, which the policy weighs, not an abstention.
    const said = spent >= budgetMs ? OVER_BUDGET : signal.evaluate(listing, context)
    spent += performance.now() - began
    const finding = said instanceof Promise ? await within(budgetMs, said) : said
    return { signal, finding, result: resultOf(signal, finding, performance.now() - began) }
  }
  return await Promise.all(signals.map(ask))
}

function resultOf({ name, version, mode }: Signal, finding: Finding, took: number): SignalResult {
  return {
    name,
    version,
    state: finding.state,
    ...(finding.state === 'scored' ? { score: finding.score } : {}),
    ...(finding.state === 'scored' && finding.incomplete === true ? { incomplete: true } : {}),
    contribution: 0,
    evidence: finding.evidence,
    durationMs: Math.round(took * 1000) / 1000,
    ...(mode === 'shadow' ? { shadow: true } : {}),
  }
}

const OVER_BUDGET: Finding = { state: 'failed', passing: true, evidence: { why: OUT_OF_TIME } }

async function within(milliseconds: number, finding: Promise<Finding>): Promise<Finding> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Finding>((resolve) => {
    // What a thread said while we were busy ourselves is heard first.
    timer = setTimeout(() => setImmediate(() => resolve(OVER_BUDGET)), milliseconds)
  })
  try {
    return await Promise.race([finding, late])
  } finally {
    clearTimeout(timer)
  }
}
