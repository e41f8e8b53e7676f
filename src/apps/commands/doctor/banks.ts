// What `doctor` says of the banks: pictures that somebody should look at, in quarantine or matching far too much.
import type { BankSummary } from '../../../rights/bank-ports.ts'
import type { Finding } from './finding.ts'

export function examineBanks(
  banks: readonly Pick<BankSummary, 'bankId' | 'images' | 'quarantined' | 'alerted'>[],
): Finding {
  const total = banks.reduce((sum, bank) => sum + bank.images, 0)
  const detail = `${total} pictures match, in ${banks.length} banks`
  const many = (what: 'quarantined' | 'alerted') =>
    banks.flatMap((bank) => (bank[what] > 0 ? [`${bank[what]} of ${bank.bankId}`] : [])).join(', ')
  const [quarantined, alerted] = [many('quarantined'), many('alerted')]
  if (quarantined === '' && alerted === '') return { name: 'banks', state: 'ok', detail }
  return {
    name: 'banks',
    state: 'warning',
    detail: [
      detail,
      ...(quarantined === '' ? [] : [`in quarantine, for some marketplaces or all: ${quarantined}`]),
      ...(alerted === '' ? [] : [`matching on, though they met too many sellers: ${alerted}`]),
    ].join('; '),
    cure: '`touchstone banks list` names them with where, since when and why; look at each: `touchstone banks release BANK IMAGE` where it is right, `banks remove` where it is no counterfeit, `banks quarantine` to stop it meanwhile',
  }
}
