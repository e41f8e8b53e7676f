// Reference data in memory: compiled once per change, swapped whole, followed live (a hint, and polling as the truth).
import type { Brand } from '../domain/brand.ts'
import type { Policy } from '../domain/policy.ts'
import { TouchstoneError } from '../errors.ts'
import { compilePolicy, type CompiledPolicy } from '../policy/compile.ts'
import type { Signal } from '../signals/signal.ts'
import type { Telemetry } from '../telemetry.ts'
import { compileBrandDictionary, type BrandDictionary } from '../text/brand-dictionary.ts'
import type { Gate } from './assess.ts'
import { createLoop, type Loop } from './loop.ts'
import { createModelLoading, type LoadedModels, type ModelSource } from './models.ts'
import type { ReferenceStore } from '../rights/ports.ts'

/** What does not change while the process runs. Scorecard and text model are those that ship: promoted ones replace them. */
export interface GateParts extends LoadedModels {
  readonly signals: readonly Signal[]
  readonly usdPer: (currency: string) => number | undefined
  readonly budgetMs: number
}

/** Compiles a gate; hand the previous one in so that what did not change is not compiled again. */
export function compileGate(
  parts: GateParts,
  data: { change: bigint; brands: readonly Brand[]; policy: Policy; models?: LoadedModels },
  before?: Gate,
): Gate {
  const same = before !== undefined && sameBrands(before.brands, data.brands)
  const dictionary: BrandDictionary = same ? before.dictionary : compileBrandDictionary(data.brands)
  const brands = same ? before.brands : new Map(data.brands.map((b) => [b.brandId, b]))
  const policy: CompiledPolicy =
    before !== undefined &&
    before.policy.policy.policyId === data.policy.policyId &&
    before.policy.policy.version === data.policy.version
      ? before.policy
      : compilePolicy(data.policy)
  return Object.freeze({ ...parts, ...data.models, change: data.change, brands, dictionary, policy })
}

function sameBrands(before: ReadonlyMap<string, Brand>, now: readonly Brand[]): boolean {
  if (before.size !== now.length) return false
  return now.every((b) => JSON.stringify(before.get(b.brandId)) === JSON.stringify(b))
}

export interface LiveGate {
  readonly current: () => Gate
  readonly loop: Loop
  stop(): Promise<void>
}

/** Missed hints are caught up within this long; with the time to compile, a change is live in under 2 s. */
const POLL_MS = 500

/**
 * Loads the reference data and keeps following it. A change that does not compile is reported and the last good gate stays;
 * a promoted model that cannot be loaded leaves the model that decided before, and everything else goes on.
 */
export async function followReference(
  store: ReferenceStore,
  parts: GateParts,
  telemetry: Telemetry,
  models?: ModelSource,
): Promise<LiveGate> {
  const loading = createModelLoading(parts, models, telemetry)
  const load = async (before?: Gate): Promise<Gate> => {
    const { change, brands, policy, models: active } = await store.load()
    if (policy === undefined)
      throw new TouchstoneError('not-ready', 'there is no active policy; `touchstone start` publishes the default one')
    const gate = compileGate(parts, { change, brands, policy, models: await loading.load(active) }, before)
    telemetry.metrics.touchstone_policy_version.set(policy.version)
    telemetry.metrics.touchstone_reference_change.set(Number(change))
    return gate
  }
  let gate = await load()
  const loop = createLoop('reference-data', telemetry.log, async () => {
    const change = await store.change()
    if (change !== gate.change || loading.due()) {
      gate = await load(gate)
      const { policy, scorecard, textModel } = gate
      telemetry.log.info(
        {
          change: gate.change.toString(),
          policy: policy.policy.version,
          fusion: scorecard.version,
          text: textModel?.version,
        },
        'reference data changed',
      )
    }
    return POLL_MS
  })
  const unlisten = await store.onChange(() => loop.nudge())
  return {
    current: () => gate,
    loop,
    async stop() {
      await unlisten()
      await loop.stop()
    },
  }
}
