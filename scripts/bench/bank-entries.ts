// Banks that the measurements compare with: of each picture what the product keeps of it, its own hash and those of its derived forms.
import { randomUUID } from 'node:crypto'
import { BANK_KINDS, bankSchema, DERIVED_FORMS } from '../../src/domain/bank.ts'
import { hexOf } from '../../src/imaging/picture.ts'
import { createBankEntries, type BankEntries } from '../../src/pipeline/banks/entries.ts'
import { fillRandom, flip, random } from './hashes.ts'

/** A picture with its forms, in hexadecimal. */
export interface Kept {
  readonly hash: string
  readonly forms?: readonly string[]
}

/** As far from the picture as halving and brightening take drawn ones. */
const formOf = (hash: Uint8Array): string => hexOf(flip(hash.slice(), 5 + (random() % 11)))

function drawn(): Kept {
  const hash = fillRandom(new Uint8Array(32))
  return { hash: hexOf(hash), forms: DERIVED_FORMS.map(() => formOf(hash)) }
}

/** One bank of each kind: `size` pictures, all drawn but the known ones, which are counterfeit. */
export function filledEntries(size: number, known: readonly Kept[] = []): BankEntries {
  const entries = createBankEntries({ filling: true })
  for (const kind of BANK_KINDS) entries.putBank(bankSchema.parse({ bankId: kind, name: kind, kind }))
  const put = (bankId: string, { hash, forms = [] }: Kept) =>
    entries.put({ imageId: randomUUID(), bankId, hash, forms, state: 'active', source: { kind: 'import' } })
  for (let n = known.length; n < size; n++) put(BANK_KINDS[n % BANK_KINDS.length] ?? 'genuine', drawn())
  for (const one of known) put('counterfeit', one)
  entries.ready()
  return entries
}
