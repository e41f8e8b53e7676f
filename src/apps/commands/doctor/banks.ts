// What `doctor` says of the banks: pictures that somebody should look at, in quarantine, matching far too much, or for which nobody vouches.
import type { BankSummary } from '../../../rights/bank-ports.ts'
import type { Finding } from './finding.ts'

export function examineBanks(
  banks: readonly Pick<BankSummary, 'bankId' | 'images' | 'quarantined' | 'alerted' | 'limited'>[],
): Finding {
  const total = banks.reduce((sum, bank) => sum + bank.images, 0)
  const detail = `${total} pictures match, in ${banks.length} banks`
  const many = (what: 'quarantined' | 'alerted' | 'limited') =>
    banks.flatMap((bank) => (bank[what] > 0 ? [`${bank[what]} of ${bank.bankId}`] : [])).join(', ')
  const [quarantined, alerted, limited] = [many('quarantined'), many('alerted'), many('limited')]
  const isCalm = quarantined === '' && alerted === ''
  if (isCalm && limited === '') return { name: 'banks', state: 'ok', detail }
  return {
    name: 'banks',
    state: 'warning',
    detail: [
      detail,
      ...(quarantined === '' ? [] : [`in quarantine, for some marketplaces or all: ${quarantined}`]),
      ...(alerted === '' ? [] : [`matching on, though they met too many sellers: ${alerted}`]),
      ...(limited === ''
        ? []
        : [
            `of fakes, for which nobody of the deployment vouches, counting only where their brand is named: ${limited}`,
          ]),
    ].join('; '),
    cure: isCalm ? VOUCH : limited === '' ? LOOK : `${LOOK}; ${VOUCH}`,
  }
}

const LOOK =
  '`touchstone banks list` names them with where, since when and why; look at each: `touchstone banks release BANK IMAGE` where it is right, `banks remove` where it is no counterfeit, `banks quarantine` to stop it meanwhile'
const VOUCH =
  '`touchstone banks list BANK --state limited` names those that wait for a look: `banks vouch BANK IMAGE` where it is a counterfeit, so that it counts everywhere, else `banks remove`'
