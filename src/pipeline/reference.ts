// Reference data in memory: compiled once per change, swapped whole, followed live (a hint, and polling as the truth).
import type { Brand } from '../domain/brand.ts'
import type { ActiveModel } from '../domain/model.ts'
import type { Policy } from '../domain/policy.ts'
import { TouchstoneError } from '../errors.ts'
import { compilePolicy } from '../policy/compile.ts'
import type { Signal } from '../signals/signal.ts'
import type { Telemetry } from '../telemetry.ts'
import { compileBrandDictionary, type BrandDictionary } from '../text/brand-dictionary.ts'
import type { Gate } from './assess.ts'
import { createLoop, type Loop } from './loop.ts'
import { createModelLoading, type LoadedModels, type ModelSource } from './models.ts'
import type { ReferenceKinds, ReferenceStore } from '../rights/ports.ts'

/** What does not change while the process runs. Scorecard and text model are those that ship: promoted ones replace them. */
export interface GateParts extends LoadedModels {
  readonly signals: readonly Signal[]
  readonly usdPer: (currency: string) => number | undefined
  readonly budgetMs: number
}

interface Compiled {
  readonly brands: ReadonlyMap<string, Brand>
  readonly dictionary: BrandDictionary
}

const compileBrands = (brands: readonly Brand[]): Compiled => ({
  brands: new Map(brands.map((b) => [b.brandId, b])),
  dictionary: compileBrandDictionary(brands),
})

export function compileGate(
  parts: GateParts,
  data: { change: bigint; brands: readonly Brand[]; policy: Policy; models?: LoadedModels },
): Gate {
  return Object.freeze({
    ...parts,
    ...data.models,
    change: data.change,
    ...compileBrands(data.brands),
    policy: compilePolicy(data.policy),
  })
}

export interface LiveGate {
  readonly current: () => Gate
  readonly loop: Loop
  stop(): Promise<void>
}

interface Loaded {
  readonly gate: Gate
  readonly kinds: ReferenceKinds
  readonly active: readonly ActiveModel[]
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
  const loadAll = async (): Promise<Loaded> => {
    const { change, kinds, brands, policy, models: active } = await store.load()
    if (policy === undefined)
      throw new TouchstoneError('not-ready', 'there is no active policy; `touchstone start` publishes the default one')
    const gate = compileGate(parts, { change, brands, policy, models: await loading.load(active) })
    return { gate, kinds, active }
  }
  /** What is not in the news is not compiled again: thousands of brands would take a second for each verdict. */
  const loadNews = async ({ gate, kinds, active }: Loaded): Promise<Loaded> => {
    const news = await store.news(kinds)
    // Another history: the store was replaced by an older copy of itself, and equal numbers say nothing.
    if (news.change < gate.change) return await loadAll()
    const models = news.models ?? active
    return {
      gate: Object.freeze({
        ...gate,
        change: news.change,
        ...(news.brands && compileBrands(news.brands)),
        ...(news.policy && { policy: compilePolicy(news.policy) }),
        ...((news.models !== undefined || loading.due()) && (await loading.load(models))),
      }),
      kinds: news.kinds,
      active: models,
    }
  }
  const tell = ({ policy, change }: Gate) => {
    telemetry.metrics.touchstone_policy_version.set(policy.policy.version)
    telemetry.metrics.touchstone_reference_change.set(Number(change))
  }
  let loaded: Loaded = await loadAll()
  tell(loaded.gate)
  const loop = createLoop('reference-data', telemetry.log, async () => {
    const { gate: before } = loaded
    if ((await store.change()) !== before.change || loading.due()) {
      loaded = await loadNews(loaded)
      tell(loaded.gate)
      const { change, brands, policy, scorecard, textModel } = loaded.gate
      const ours = brands !== before.brands || policy !== before.policy || scorecard !== before.scorecard
      if (ours || textModel !== before.textModel)
        telemetry.log.info(
          {
            change: String(change),
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
    current: () => loaded.gate,
    loop,
    async stop() {
      await unlisten()
      await loop.stop()
    },
  }
}
