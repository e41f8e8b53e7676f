// Of the pictures in the banks those that can speak against a listing: where there are none, a picture that cannot be seen hides nothing.
import type { BankEntries } from './entries.ts'

/** Counterfeit ones, and genuine ones, which strangers must not show. */
export function accusingIn(entries: Pick<BankEntries, 'sizes'>): number {
  const { counterfeit, genuine } = entries.sizes()
  return counterfeit + genuine
}
