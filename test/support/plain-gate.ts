// A gate with no brands, the policy that ships and a scorecard that weighs nothing: for tests that care about none of these.
import { compileGate } from '../../src/pipeline/reference.ts'
import { defaultPolicy } from '../../src/policy/default.ts'
import type { Signal } from '../../src/signals/signal.ts'

const scorecard = {
  name: 'fusion' as const,
  version: 't',
  description: 't',
  prior: { probability: 0.01, source: 't' },
  signals: {},
}

export const plainGate = (signals: readonly Signal[] = []) =>
  compileGate(
    { signals, scorecard, usdPer: () => 1, budgetMs: 1_000 },
    { change: 1n, brands: [], policy: defaultPolicy() },
  )
