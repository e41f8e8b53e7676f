// Brands on their way in: a brand that cannot be compiled must not reach the workers.
import type { Brand } from '../domain/brand.ts'
import { TouchstoneError, messageOf } from '../errors.ts'
import { compileBrandDictionary } from '../text/brand-dictionary.ts'

/** @throws TouchstoneError `brand-invalid` where compiling the brands fails. */
export function checkBrands(brands: readonly Brand[]): void {
  try {
    compileBrandDictionary(brands)
  } catch (error) {
    throw new TouchstoneError('brand-invalid', `the names cannot be compiled: ${messageOf(error)}`, { cause: error })
  }
}
