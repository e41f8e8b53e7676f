// What `banks list` says of pictures that somebody should look at: in quarantine, matching on beyond an alert, or for which nobody vouches.
import type { AlertResult, BankAlert, BankImage } from '../../domain/bank.ts'
import type { BankStore, BankSummary } from '../../rights/bank-ports.ts'

/** So many are named of each bank and state; when they are released the next come. */
const NAMED = 10

export async function toLookAt(store: BankStore, bank: BankSummary): Promise<BankImage[]> {
  const of = (state: 'quarantined' | 'alerted' | 'limited') =>
    bank[state] === 0 ? [] : store.images(bank.bankId, { limit: NAMED, state })
  const found = [...(await of('quarantined')), ...(await of('alerted')), ...(await of('limited'))]
  // One that has an alert may be such a word too.
  return [...new Map(found.map((image) => [image.imageId, image])).values()]
}

/** A line of text. */
export function inWords({ bankId, imageId, source, quarantine, alerts = [] }: BankImage): string {
  const met = alerts.map(metInWords).join('; ')
  const { file, listingId, kind, by } = source
  const name = plain(file ?? (listingId === undefined ? kind : `verdict on ${listingId}`))
  const release = `touchstone banks release ${bankId} ${imageId}`
  if (quarantine === undefined && met === '') {
    const whose = by === 'nobody' ? 'Shown by an edit that nobody has looked at' : 'A rights holder’s word alone'
    return `${whose}, counts only where its brand is named: ${name}: touchstone banks vouch ${bankId} ${imageId}, or remove`
  }
  if (quarantine === undefined) return `Matches on, though ${met}: ${name}: ${release}, or quarantine, or remove`
  const { scope, since, why, by: whom } = quarantine
  const where = scope === 'all' ? '' : ` for ${scope.map(marketplaceInWords).join(' and ')}`
  const because = why === 'by-hand' ? `put there by ${plain(whom)}` : met === '' ? 'met too many sellers' : met
  return `In quarantine${where} since ${since}, ${because}: ${name}: ${release}`
}

const WHY: Readonly<Record<AlertResult, string>> = {
  quarantined: '',
  'quarantined-for-all': ', as of others before',
  bound: ', and enough went into quarantine there within the hour',
  'new-sellers': ', too many of them with new accounts',
}

const metInWords = ({ marketplace, sellers, seconds, lastAt, result }: BankAlert): string =>
  `met ${sellers} sellers of ${marketplaceInWords(marketplace)} in ${seconds} s until ${lastAt}${WHY[result]}`

const marketplaceInWords = (marketplace: string | null): string =>
  marketplace === null ? 'listings without a marketplace' : plain(marketplace)

/** A file's or a marketplace's name is a stranger's text: nothing of it may turn or break the line. */
export const plain = (text: string): string => text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')
