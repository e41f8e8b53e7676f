// What `doctor` says of the banks: pictures that match nothing because nobody has looked at them yet.
import type { BankSummary } from '../../../rights/bank-ports.ts'
import type { Finding } from './finding.ts'

export function examineBanks(banks: readonly Pick<BankSummary, 'bankId' | 'images' | 'quarantined'>[]): Finding {
  const total = banks.reduce((sum, bank) => sum + bank.images, 0)
  const detail = `${total} pictures match, in ${banks.length} banks`
  const held = banks.filter((bank) => bank.quarantined > 0)
  if (held.length === 0) return { name: 'banks', state: 'ok', detail }
  return {
    name: 'banks',
    state: 'warning',
    detail: `${detail}; in quarantine, where they match nothing: ${held.map((b) => `${b.quarantined} of ${b.bankId}`).join(', ')}`,
    cure: 'they met too many sellers: `touchstone banks list` names them, `touchstone banks release BANK IMAGE` lets one out that is right',
  }
}
