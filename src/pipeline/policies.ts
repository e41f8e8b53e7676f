// A policy document on its way to be active: its schema, its rules and its own examples are held against it first.
import { policySchema, type Policy } from '../domain/policy.ts'
import { describeIssues, jsonPointer } from '../domain/schema-issues.ts'
import { TouchstoneError } from '../errors.ts'
import { compilePolicy } from '../policy/compile.ts'
import { runExamples } from '../policy/examples.ts'
import { assess, type Gate } from './assess.ts'
import { scorecardSchema, type Scorecard } from '../domain/scorecard.ts'
import { heldByBase } from './base-holds.ts'
import type { ActivatedPolicy, PolicyRecord, ReferenceStore } from '../rights/ports.ts'

/**
 * Reads a policy document; `version` is given on publishing, so it may be missing.
 * @throws TouchstoneError `policy-invalid` naming the first field at fault.
 */
export function parsePolicy(document: unknown): Policy {
  const draft =
    typeof document === 'object' && document !== null && !Array.isArray(document)
      ? { ...document, version: 1 }
      : document
  const parsed = policySchema.safeParse(draft)
  if (parsed.success) {
    const unknown = unknownField(draft, parsed.data, '')
    if (unknown === undefined) return parsed.data
    throw new TouchstoneError('policy-invalid', `${unknown} is not a field of a policy`, { path: unknown })
  }
  const { path, message } = describeIssues(parsed.error, draft)
  throw new TouchstoneError('policy-invalid', message, { path })
}

/**
 * Publishes a document as the next version, or throws `policy-invalid` or `policy-conflict` and changes nothing. A threshold at
 * or below what the fusion that decides assumes before any evidence is a warning: whoever wants all held may have that.
 */
export async function publishPolicy(
  store: ReferenceStore,
  gate: Gate,
  document: unknown,
  by: string,
  basedOn: number | undefined,
): Promise<ActivatedPolicy> {
  const policy = parsePolicy(document)
  const compiled = compilePolicy(policy)
  const trial: Gate = { ...gate, policy: compiled }
  const failures = await runExamples(compiled, async (listing, now) => (await assess(trial, listing, now)).answer)
  if (failures.length > 0)
    throw new TouchstoneError(
      'policy-invalid',
      `${failures.join('; ')}. Examples are the policy's own tests: change or remove those that shall no longer hold`,
      { path: '/examples' },
    )
  return withWarnings(store, gate, await store.publishPolicy(policy, by, basedOn))
}

/**
 * Makes the version before the active one active again, or throws `nothing-to-roll-back`. It was published beside the fusion
 * of its time: the warnings are of the one that decides now.
 */
export const rollbackPolicy = async (
  store: Pick<ReferenceStore, 'load' | 'rollbackPolicy'>,
  gate: Pick<Gate, 'scorecard'>,
  by: string,
): Promise<ActivatedPolicy> => withWarnings(store, gate, await store.rollbackPolicy(by))

async function withWarnings(
  store: Pick<ReferenceStore, 'load'>,
  gate: Pick<Gate, 'scorecard'>,
  record: PolicyRecord,
): Promise<ActivatedPolicy> {
  return { ...record, warnings: heldByBase(record.policy, await decidingPrior(store, gate)) }
}

/** Read when the policy stands: a version that is promoted from then on is held against it. */
async function decidingPrior(
  store: Pick<ReferenceStore, 'load'>,
  { scorecard }: Pick<Gate, 'scorecard'>,
): Promise<Scorecard['prior']> {
  const fusion = (await store.load()).models.find(({ name }) => name === 'fusion')
  return scorecardSchema.shape.prior.safeParse(fusion?.card['prior']).data ?? scorecard.prior
}

/** JSON pointer to the first field that the schema left out: a misspelt one would be a protection that is not there. */
function unknownField(sent: unknown, kept: unknown, path: string): string | undefined {
  if (typeof sent !== 'object' || sent === null || typeof kept !== 'object' || kept === null) return undefined
  for (const [key, value] of Object.entries(sent)) {
    const place = path + jsonPointer([key])
    if (!Object.hasOwn(kept, key)) return place
    const inner = unknownField(value, Reflect.get(kept, key), place)
    if (inner !== undefined) return inner
  }
  return undefined
}
