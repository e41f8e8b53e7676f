// What `doctor` says of banks, from counts alone. Real: the sentences. Not: the store that counts.
import { describe, expect, it } from 'vitest'
import { examineBanks } from '../../../src/apps/commands/doctor/banks.ts'

const bank = (bankId: string, counts: { quarantined?: number; alerted?: number; limited?: number } = {}) => ({
  bankId,
  images: 4,
  quarantined: 0,
  alerted: 0,
  limited: 0,
  ...counts,
})

describe('what the doctor says of banks', () => {
  it('names the banks in which pictures wait for a vouch, and the command that finds and the one that vouches', () => {
    const { state, detail, cure } = examineBanks([bank('own'), bank('confirmed-nike', { limited: 3 })])
    expect(state).toBe('warning')
    expect(detail).toMatch(
      /^8 pictures match, in 2 banks; .*of fakes, for which nobody of the deployment vouches, .*: 3 of confirmed-nike$/,
    )
    expect(cure).toContain('banks list BANK --state limited')
    expect(cure).toContain('banks vouch BANK IMAGE')
    expect(cure).not.toContain('release')
  })

  it('asks for both looks where something is in quarantine too', () => {
    const { detail, cure } = examineBanks([bank('own', { quarantined: 1, limited: 2 }), bank('b', { alerted: 1 })])
    for (const part of ['in quarantine, for some marketplaces or all: 1 of own', '1 of b', '2 of own'])
      expect(detail).toContain(part)
    expect(cure).toMatch(/banks release .*banks vouch/)
  })

  it('is content where nothing waits', () => {
    expect(examineBanks([bank('own')])).toEqual({ name: 'banks', state: 'ok', detail: '4 pictures match, in 1 banks' })
  })
})
