// Whose a listing id is. Real: settle; made up: the assessments.
import { describe, expect, it } from 'vitest'
import type { Tried } from '../../../src/pipeline/settle.ts'
import { gate, only, submitted } from './settled.ts'

describe('settling records of several marketplaces', () => {
  it('refuses a listing id that another marketplace uses, and keeps the marketplace where a revision names none', () => {
    const g = gate()
    g.settle(submitted(1, 'allow', undefined, { marketplace: 'north' }))
    expect(g.settle(submitted(2, 'allow', undefined, { marketplace: 'south' })).tally.refused).toEqual([
      'marketplace-mismatch',
    ])
    expect(only(g.settle(submitted(2, 'allow')).decisions).marketplace).toBe('north')
  })

  it('lets no key that is bound to a marketplace take over a listing that has none', () => {
    const bound = (revision: number): Tried => {
      const tried = submitted(revision, 'allow', undefined, { marketplace: 'south' })
      if (tried.kind !== 'ok' || tried.value.kind !== 'listing') throw new Error('not a listing')
      return { kind: 'ok', value: { ...tried.value, bound: true } }
    }
    const g = gate()
    g.settle(submitted(1, 'allow'))
    expect(g.settle(bound(2)).tally.refused).toEqual(['marketplace-mismatch'])
    const foreign: Tried = {
      kind: 'ok',
      value: { kind: 'withdrawal', identity: { listingId: 'L-1', revision: 1 }, marketplace: 'south' },
    }
    expect(g.settle(foreign).tally.refused).toEqual(['marketplace-mismatch'])
    expect(gate().settle(bound(1)).tally.decided).toHaveLength(1)
  })

  it('remembers a withdrawal of an unknown id for its own marketplace, and lets it claim nothing', () => {
    const withdraws = (marketplace: string | undefined, revision: number): Tried => ({
      kind: 'ok',
      value: { kind: 'withdrawal', identity: { listingId: 'L-1', revision }, marketplace },
    })
    const north = submitted(1, 'allow', undefined, { marketplace: 'north' })
    for (const stranger of ['south', undefined] as const) {
      const own = gate()
      expect(own.settle(withdraws(stranger, 7)).tally.withdrawals).toBe(1)
      const same = submitted(7, 'allow', undefined, stranger === undefined ? {} : { marketplace: stranger })
      expect(own.settle(same).tally.refused).toEqual(['withdrawn'])
    }

    const g = gate()
    g.settle(withdraws('south', 2_000_000_000))
    expect(only(g.settle(north).decisions)).toMatchObject({ marketplace: 'north', outcome: 'allow' })
    expect(g.row()).toMatchObject({ marketplace: 'north', revision: 1, withdrawnRevision: 0 })
    // Now it is somebody's: who came first with nothing but its id is a stranger to it.
    const more = submitted(2_000_000_001, 'allow', undefined, { marketplace: 'south' })
    expect(g.settle(withdraws('south', 3), more).tally.refused).toEqual([
      'marketplace-mismatch',
      'marketplace-mismatch',
    ])

    // What names no marketplace does not become the listing of whoever guessed its id.
    const unnamed = gate()
    unnamed.settle(withdraws('south', 7))
    const decided = only(unnamed.settle(submitted(1, 'allow')).decisions)
    expect([decided.marketplace, unnamed.row()?.marketplace]).toEqual([undefined, null])

    // Nor is what somebody withdrew forgotten because of one who names none.
    const between = gate()
    between.settle(withdraws('north', 5))
    between.settle(withdraws(undefined, 2))
    const again = (revision: number) => submitted(revision, 'allow', undefined, { marketplace: 'north' })
    expect(between.settle(again(3)).tally.refused).toEqual(['withdrawn'])
    expect(only(between.settle(again(6)).decisions).marketplace).toBe('north')

    const both = gate()
    both.settle(withdraws('south', 9))
    expect(both.settle(withdraws('north', 1)).tally.withdrawals).toBe(1)
    expect(both.settle(north).tally.refused).toEqual(['withdrawn'])
    const south = (revision: number) => submitted(revision, 'allow', undefined, { marketplace: 'south' })
    expect(both.settle(south(9)).tally.refused).toEqual(['withdrawn'])
    expect(both.settle(withdraws('south', 9), withdraws('north', 1)).tally.duplicates).toBe(2)
    expect(only(both.settle(south(10)).decisions).marketplace).toBe('south')
    expect(both.row()).toMatchObject({ marketplace: 'south', withdrawnRevision: 9, withdrawnByOthers: [] })
  })

  it('remembers of an id that nobody has sent the latest marketplaces that withdrew it, not any number of them', () => {
    const g = gate()
    const names = Array.from({ length: 30 }, (_, i) => `m-${i}`)
    for (const marketplace of names)
      g.settle({ kind: 'ok', value: { kind: 'withdrawal', identity: { listingId: 'L-1', revision: 5 }, marketplace } })
    expect(g.row()?.withdrawnByOthers?.map((one) => one.marketplace)).toEqual(names.slice(13, 29))
    expect(g.settle(submitted(5, 'allow', undefined, { marketplace: 'm-13' })).tally.refused).toEqual(['withdrawn'])
    expect(only(g.settle(submitted(5, 'allow', undefined, { marketplace: 'm-0' })).decisions).revision).toBe(5)
  })
})
