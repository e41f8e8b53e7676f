// What a rights holder may do with banks, asked in the store: whose they are, and how far its word reaches.
import { sql } from 'kysely'
import { confirmedBank, MAX_BRAND_DISTANCE } from '../../domain/bank.ts'
import type { Bank, BankImage } from '../../domain/bank.ts'
import { TouchstoneError } from '../../errors.ts'
import type { BankScope } from '../../rights/bank-ports.ts'
import type { Statement } from './statement.ts'

/** For a query in which `b` is the bank. */
export const owned = (scope: BankScope) =>
  scope === 'all' ? sql<boolean>`true` : sql<boolean>`b.body ->> 'brandId' = any(${[...scope.brandIds]}::text[])`

export const taken = (bankId: string, why: string) => new TouchstoneError('bank-taken', `the bank ${bankId} ${why}`)

/** The same where somebody else has it and where verdicts will: who guesses names learns nothing of anybody's counterfeits. */
export const NOT_FREE = 'has a name that is not free, or is kept for what verdicts confirm'

/**
 * The names of the banks that verdicts fill must mean nothing else. One that has such a name already and stays what it is
 * may be changed: for brands of long ids verdicts once filled banks of other names.
 */
export function assertMine(bank: Bank, before: Bank | undefined, scope: BankScope): void {
  if (scope !== 'all' && (bank.brandId === null || !scope.brandIds.includes(bank.brandId)))
    throw taken(bank.bankId, 'would belong to somebody else')
  if (!/^confirmed(-|$)/.test(bank.bankId)) return
  if (before?.brandId === bank.brandId && before.kind === bank.kind) return
  const { bankId, kind } = confirmedBank(bank.brandId)
  if (bankId !== bank.bankId || kind !== bank.kind) throw taken(bank.bankId, NOT_FREE)
}

/** What an analyst gave a bank stays when its owner changes something else about it. */
export function assertNear(bank: Bank, before: Bank | undefined, scope: BankScope): void {
  const had = before?.kind === bank.kind ? before.maxDistance : 0
  const most = Math.max(MAX_BRAND_DISTANCE, had)
  if (scope === 'all' || bank.maxDistance <= most) return
  throw new TouchstoneError(
    'invalid',
    `maxDistance: must be at most ${most} for a rights holder; ask an analyst for more`,
    { path: '/maxDistance' },
  )
}

/** An analyst may have made it for one brand: what outweighs all other banks is filled by analysts alone. */
export function assertFillable({ bankId, kind }: Bank, scope: BankScope): void {
  if (scope !== 'all' && kind === 'allowed')
    throw new TouchstoneError('forbidden', `the bank ${bankId} is of allowed pictures: ask an analyst to add to it`)
}

/**
 * Of a picture: it is the word of one of these alone. Its source is read as text, as in the indexes for it: `->>` fails on a
 * file's name with half a character. Within a string of JSON a quote is escaped, so no name can say it.
 */
export const isWordOf = (picture: Statement, whose: 'brand' | '(brand|nobody)'): Statement<boolean> =>
  sql<boolean>`${picture}.source::text ~ ${sql.lit(`"by"\\s*:\\s*"${whose}"`)}`

/** It says whose word it is alone, or who vouched for it. */
export const saysWhose = (picture: Statement): Statement<boolean> =>
  sql<boolean>`${picture}.source::text ~ '"(by|vouched)"\\s*:'`

/**
 * Of a picture and its bank: a rights holder's word alone, or nobody's, which counts less until somebody vouches for it. Only of fakes:
 * a genuine one stops nobody, and what it may spare is said beside the fake (signals/image-hash/spared.ts).
 */
export const unvouched = (picture: Statement, bank: Statement): Statement =>
  sql`(${picture}.state = 'active' and ${isWordOf(picture, '(brand|nobody)')} and ${bank}.body ->> 'kind' = 'counterfeit')`

export const sourceIn = (scope: BankScope, source: BankImage['source']): BankImage['source'] =>
  scope === 'all' ? source : { ...source, by: 'brand' }

/** Of these pictures, those that the deployment put into quarantine in a bank of that scope, also where they were removed since. */
export const stoppedAmong = (sha256s: readonly string[], scope: BankScope): Statement<{ sha256: string }> =>
  sql<{ sha256: string }>`
    select i.sha256 from bank_image i join bank b on b.bank_id = i.bank_id
    where i.sha256 = any(${sha256s}::text[]) and i.state <> 'active' and i.quarantined_by = 'deployment' and ${owned(scope)}`

export const stopped = (what: string) =>
  new TouchstoneError(
    'forbidden',
    `${what} was put into quarantine by the deployment: ask an analyst to look at it and to release it`,
  )
