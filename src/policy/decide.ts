// Risk and listing to allow, hold or block: thresholds, then what a failed signal means, then the rules in their order.
import type { Reason } from '../domain/decision.ts'
import type { Outcome, Policy } from '../domain/policy.ts'
import type { SignalResult } from '../domain/signal-result.ts'
import { severity, type CompiledPolicy } from './compile.ts'
import { readFacts, type PolicyInput } from './facts.ts'

export type { CompiledPolicy } from './compile.ts'
export type { PolicyInput } from './facts.ts'

export interface AppliedRule {
  readonly ruleId: string
  readonly mode: 'enforce' | 'shadow'
  readonly outcome: Outcome
  /** Why it could not be tried; such a rule counts as one that does not apply. */
  readonly error?: string
}

export interface PolicyDecision {
  readonly outcome: Outcome
  readonly riskClass: string
  /** Rules that applied, in shadow or not, and rules that could not be tried. */
  readonly rules: readonly AppliedRule[]
  /** The enforced rule that decided; undefined where the thresholds did. */
  readonly decidedBy: string | undefined
  /** What the policy itself adds to the signals' reasons, for the honest seller. */
  readonly reasons: readonly Reason[]
  /** An enforced signal could not look, at all or at a part, and the decision was taken without that. */
  readonly degraded: boolean
  /** What the outcome would be if that did not matter: by what was seen alone. */
  readonly seenAlone: Outcome
  readonly onDeadline: 'allow' | 'block'
  readonly deadlineSeconds: number
  readonly audit: Policy['audit']
  readonly policy: { readonly policyId: string; readonly version: number }
  readonly thresholds: Policy['thresholds']
}

/** Said of signals and of rules for which no time was left. */
export const OUT_OF_TIME = 'the time budget of the listing was used up'

const BY_RULE: Reason = {
  code: 'marketplace-rule',
  text: 'A rule of the marketplace applies to listings like this one.',
}
const UNCHECKED: Reason = { code: 'check-unavailable', text: 'One of our checks could not look at this listing yet.' }
const UNTRIED: Reason = {
  code: 'rule-not-tried',
  text: 'A rule of the marketplace could not be held against this listing yet.',
}

/**
 * Pure. Without rules more risk never gives a milder outcome. The first enforced rule that applies decides outright, be it
 * milder or not; rules in shadow, and rules that fail on this listing, are recorded and change nothing.
 */
export function decide(compiled: CompiledPolicy, input: PolicyInput): PolicyDecision {
  const { policy } = compiled
  const { risk } = input.risk
  const riskClass = policy.riskClasses.findLast((c) => risk >= c.from)?.name ?? policy.riskClasses[0]?.name ?? ''
  const thresholds = thresholdsFor(compiled, input.brandIds)
  const byRisk: Outcome = risk >= thresholds.block ? 'block' : risk >= thresholds.hold ? 'hold' : 'allow'
  const { rules, decider, skipped } = tryRules(compiled, input, riskClass)
  // An enforced rule for which no time was left counts like a signal that could not look: long texts buy no way around it.
  // One that fails on a value (a missing price) does not apply: else every listing without that field would be held.
  const unlooked = input.risk.signals.some(couldNotLook)
  const degraded = skipped || unlooked
  const floor = degraded ? (compiled.onFailedSignal.get(riskClass) ?? 'hold') : 'allow'
  const raised = severity(floor) > severity(byRisk)
  const outcome = decider?.outcome ?? (raised ? floor : byRisk)
  // What was not looked at is said also where the risk alone gave the same: it may have given another one with it.
  const untold = [...(unlooked ? [UNCHECKED] : []), ...(skipped ? [UNTRIED] : [])]
  const reasons = outcome === 'allow' ? [] : decider !== undefined ? [BY_RULE] : untold
  return {
    outcome,
    riskClass,
    rules,
    decidedBy: decider?.ruleId,
    reasons,
    degraded,
    seenAlone: decider?.outcome ?? byRisk,
    // The risk class says nothing of what was not seen: else a picture that is not there would do better than one that is.
    onDeadline:
      degraded && compiled.onDeadlineDegraded === 'block' ? 'block' : (compiled.onDeadline.get(riskClass) ?? 'block'),
    deadlineSeconds: policy.hold.deadlineSeconds,
    audit: compiled.audit,
    policy: { policyId: policy.policyId, version: policy.version },
    thresholds,
  }
}

const couldNotLook = ({ state, incomplete, shadow }: SignalResult): boolean =>
  shadow !== true && (state === 'failed' || incomplete === true)

/** A brand without thresholds of its own has the overall ones; of several brands the lowest of each holds. */
function thresholdsFor(compiled: CompiledPolicy, brandIds: readonly string[]): Policy['thresholds'] {
  const overall = compiled.policy.thresholds
  if (brandIds.length === 0 || compiled.brandThresholds.size === 0) return overall
  const each = brandIds.map((id) => compiled.brandThresholds.get(id) ?? overall)
  return { hold: Math.min(...each.map((t) => t.hold)), block: Math.min(...each.map((t) => t.block)) }
}

/** Rules in shadow are tried even after one has decided: they are measured on every listing. */
function tryRules(
  compiled: CompiledPolicy,
  input: PolicyInput,
  riskClass: string,
): { rules: AppliedRule[]; decider: AppliedRule | undefined; skipped: boolean } {
  const rules: AppliedRule[] = []
  let decider: AppliedRule | undefined
  let skipped = false
  if (compiled.rules.length === 0) return { rules, decider, skipped }
  const facts = readFacts(input, riskClass)
  for (const { rule, when } of compiled.rules) {
    if (decider !== undefined && rule.mode === 'enforce') continue
    const { ruleId, mode, outcome } = rule
    if (input.mayGoOn?.() === false) {
      rules.push({ ruleId, mode, outcome, error: OUT_OF_TIME })
      skipped ||= mode === 'enforce'
      continue
    }
    const verdict = when.evaluate(facts)
    if ('error' in verdict) rules.push({ ruleId, mode, outcome, error: verdict.error })
    else if (verdict.applies) {
      const applied = { ruleId, mode, outcome }
      rules.push(applied)
      if (mode === 'enforce') decider = applied
    }
  }
  return { rules, decider, skipped }
}
