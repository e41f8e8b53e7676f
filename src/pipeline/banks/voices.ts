// Whose word an entry of a bank is: what is to be judged differently must not hide behind a nearer picture of the same bank.
import type { BankImage } from '../../domain/bank.ts'

/** Of two entries of one bank that are the same here, the nearer one says all. `source` is JSON. */
export function voiceOf(source: string): string {
  const { kind, by, brandIds } = JSON.parse(source) as BankImage['source']
  if (kind === 'verdict')
    return `verdict ${by ?? ''} ${brandIds === undefined ? '' : JSON.stringify(brandIds.toSorted())}`
  return by ?? ''
}
