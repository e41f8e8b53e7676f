// The detector of known pictures asked about one listing, with banks and pictures that a test makes up.
import { brandSchema } from '../../../../src/domain/brand.ts'
import type { BankKind } from '../../../../src/domain/bank.ts'
import type { Picture, SeenPicture } from '../../../../src/imaging/picture.ts'
import type { BankMatch } from '../../../../src/signals/image-hash/ports.ts'
import { imageHash } from '../../../../src/signals/image-hash/signal.ts'
import type { SignalContext } from '../../../../src/signals/signal.ts'
import { normalise } from '../../../../src/text/normalise.ts'

export const match = (kind: BankKind, distance = 0, more: Partial<BankMatch> = {}): BankMatch => ({
  bankId: kind,
  kind,
  imageId: 'i',
  brandId: 'nord',
  distance,
  variant: 0,
  form: 'whole',
  source: { kind: 'import' },
  ...more,
})
export const matchOf = (brandId: string | null, kind: BankKind, more: Partial<BankMatch> = {}): BankMatch =>
  match(kind, 0, { bankId: `${brandId}-${kind}`, brandId, ...more })
const brands = new Map([['nord', brandSchema.parse({ brandId: 'nord', name: 'Nord', authorisedSellers: ['friend'] })]])

function asked(
  pictures: readonly Picture[],
  known: Readonly<Record<string, readonly BankMatch[]>> | ((picture: SeenPicture) => readonly BankMatch[]) = {},
  options: { sellerId?: string; size?: number; brandIds?: string[]; noBanks?: boolean } = {},
) {
  const { sellerId = 'stranger', size = 5, brandIds = [], noBanks = false } = options
  const empty = normalise('')
  const context: SignalContext = {
    reading: { title: empty, description: empty, brand: empty, mentions: [], brandIds },
    brand: (id) => brands.get(id),
    kind: undefined,
    usdPer: () => undefined,
    pictures,
    banks: noBanks
      ? undefined
      : {
          size,
          against: size,
          change: 1n,
          match: typeof known === 'function' ? known : ({ sha256 }) => known[sha256] ?? [],
        },
    textModel: undefined,
  }
  return { listing: { listingId: 'L', revision: 1, sellerId, title: 'T' }, context }
}
export function look(...given: Parameters<typeof asked>) {
  const { listing, context } = asked(...given)
  const found = imageHash.evaluate(listing, context)
  if (found instanceof Promise) throw new Error('it needs no time')
  return found
}
export async function lookForLong(...given: Parameters<typeof asked>) {
  const { listing, context } = asked(...given)
  return imageHash.evaluate(listing, context)
}
export const scoreOf = (finding: ReturnType<typeof look>) =>
  finding.state === 'scored' ? finding.score : finding.state
