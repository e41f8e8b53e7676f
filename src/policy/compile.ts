// A policy document made ready to decide: every rule compiled, everything looked up that can be looked up now.
import {
  auditSchema,
  onDeadlineDegradedSchema,
  OUTCOMES,
  type Outcome,
  type Policy,
  type PolicyRule,
} from '../domain/policy.ts'
import { TouchstoneError } from '../errors.ts'
import { ExpressionFault } from './expression-check.ts'
import { compileExpression, type Expression } from './expression.ts'

export interface CompiledRule {
  readonly rule: PolicyRule
  readonly when: Expression
}

export interface CompiledPolicy {
  readonly policy: Policy
  readonly rules: readonly CompiledRule[]
  /** By brand; a map, because a brand may be named like a member of every object. */
  readonly brandThresholds: ReadonlyMap<string, Policy['thresholds']>
  /** By risk class, every class named. */
  readonly onFailedSignal: ReadonlyMap<string, Outcome>
  readonly onDeadline: ReadonlyMap<string, 'allow' | 'block'>
  readonly onDeadlineDegraded: 'allow' | 'block'
  readonly audit: Policy['audit']
}

/** 0 for allow, 1 for hold, 2 for block. */
export function severity(outcome: Outcome): number {
  return OUTCOMES.indexOf(outcome)
}

/** @throws TouchstoneError `policy-invalid`; its path is a JSON pointer to the first rule or field at fault, its message names all. */
export function compilePolicy(policy: Policy): CompiledPolicy {
  const faults: { path: string; message: string }[] = []
  const rules: CompiledRule[] = []
  policy.rules.forEach((rule, i) => {
    try {
      rules.push({ rule, when: compileExpression(rule.when) })
    } catch (thrown) {
      if (!(thrown instanceof ExpressionFault)) throw thrown
      faults.push({ path: `/rules/${i}/when`, message: `rule ${rule.ruleId}: ${thrown.message}` })
    }
  })
  const names = policy.riskClasses.map((c) => c.name)
  const failed = new Map(Object.entries(policy.onFailedSignal))
  const deadline = new Map(Object.entries(policy.hold.onDeadline))
  const onFailedSignal = new Map<string, Outcome>(names.map((name) => [name, failed.get(name) ?? 'hold']))
  names.forEach((name, i) => {
    const below = names[i - 1]
    if (names.indexOf(name) !== i) {
      faults.push({ path: `/riskClasses/${i}/name`, message: `risk class ${name} is named twice` })
    }
    // Otherwise a listing could be made riskier to be treated better.
    if (
      below !== undefined &&
      severity(onFailedSignal.get(name) ?? 'hold') < severity(onFailedSignal.get(below) ?? 'hold')
    ) {
      faults.push({
        path: `/onFailedSignal/${name}`,
        message: `onFailedSignal of ${name} must not be milder than that of ${below}`,
      })
    }
  })
  const first = faults[0]
  if (first !== undefined) {
    const more = faults.length > 5 ? `; and ${faults.length - 5} more` : ''
    const message = faults
      .slice(0, 5)
      .map((fault) => fault.message)
      .join('; ')
    throw new TouchstoneError('policy-invalid', message + more, { path: first.path })
  }
  return Object.freeze({
    policy,
    rules,
    brandThresholds: new Map(Object.entries(policy.brandThresholds)),
    onFailedSignal,
    // A document that was published before there was a sample says nothing of it.
    audit: auditSchema.parse(policy.audit),
    // Nor of this.
    onDeadlineDegraded: onDeadlineDegradedSchema.parse(policy.hold.onDeadlineDegraded),
    onDeadline: new Map(names.map((name) => [name, deadline.get(name) ?? 'block'])),
  })
}
