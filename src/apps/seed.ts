// A fresh store gets the brands and the policy that ship; what is there already is never overwritten.
import { TouchstoneError } from '../errors.ts'
import type { ReferenceStore } from '../rights/ports.ts'
import { defaultPolicy } from '../policy/default.ts'
import { withShippedPriceBands } from '../rights/price-bands.ts'
import { shippedBrands } from '../rights/brands.ts'

export async function seedReference(store: ReferenceStore): Promise<void> {
  const { brands, policy } = await store.load()
  const known = new Set(brands.map((b) => b.brandId))
  const missing = withShippedPriceBands(shippedBrands()).filter((b) => !known.has(b.brandId))
  if (missing.length > 0) await store.upsertBrands(missing, 'touchstone')
  if (policy !== undefined) return
  try {
    await store.publishPolicy(defaultPolicy(), 'touchstone', 0)
  } catch (error) {
    // Two processes may start at once on an empty store: the second finds that a policy is active by now.
    if (!(error instanceof TouchstoneError && error.code === 'policy-conflict')) throw error
  }
}
