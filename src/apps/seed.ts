// A fresh store gets the brands and the policy that ship; what is there already is never overwritten.
import type { ReferenceStore } from '../pipeline/ports.ts'
import { defaultPolicy } from '../policy/default.ts'
import { shippedBrands } from '../rights/brands.ts'

export async function seedReference(store: ReferenceStore): Promise<void> {
  const { brands, policy } = await store.load()
  const known = new Set(brands.map((b) => b.brandId))
  const missing = shippedBrands().filter((b) => !known.has(b.brandId))
  if (missing.length > 0) await store.upsertBrands(missing, 'touchstone')
  // Two processes may start at once on an empty store: the second finds that there is an active policy by now.
  if (policy === undefined) await store.publishPolicy(defaultPolicy(), 'touchstone', 0)
}
