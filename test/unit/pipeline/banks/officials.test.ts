// Which official banks pictures of a case are like. Real: the banks in memory and the turns; invented: hashes of known distances.
import { describe, expect, test } from 'vitest'
import { createBankEntries } from '../../../../src/pipeline/banks/entries.ts'
import { createLookForOfficials } from '../../../../src/pipeline/banks/officials.ts'
import type { BankIndex } from '../../../../src/signals/image-hash/ports.ts'
import { bank, hash, image } from './samples.ts'

const hex = (seed: string, bits = 0) => hash(seed, bits).toString('hex')
const shown = (sha256: string, variants: readonly string[], own = variants[0] ?? 'none') => ({
  sha256,
  hash: own,
  variants,
})

function banksOf() {
  const entries = createBankEntries()
  for (const one of [
    bank('genuine', { kind: 'genuine', maxDistance: 12 }),
    bank('allowed', { kind: 'allowed', maxDistance: 40 }),
    bank('logo', { kind: 'logo' }),
    bank('fakes'),
  ]) {
    entries.putBank(one)
    entries.put(image(one.bankId, one.bankId, hash('x')))
  }
  const index = { size: 4, against: 2, change: 7n, match: entries.match.bind(entries) }
  return index satisfies BankIndex
}

describe('official pictures', () => {
  test('what cannot be read as a hash is like nothing, and fails nobody', async () => {
    const look = createLookForOfficials(banksOf)
    const odd = [shown('a', ['none', '', hex('x').toUpperCase(), 'ab']), shown('b', [], '0'.repeat(63))]
    expect(await look(odd)).toEqual({
      change: 7n,
      looked: ['a', 'b'].map((sha256) => ({ sha256, frame: 0 })),
      near: [],
    })
  })

  test('genuine and allowed banks count, each within its distance, under any form that is known', async () => {
    const look = createLookForOfficials(banksOf)
    const { near } = await look([
      shown('turned', ['a', 'b', 'c', 'd'].map((seed) => hex(seed)).with(3, hex('x', 12))),
      shown('farther', [hex('e'), hex('x', 13)]),
      shown('too far', [hex('x', 41)]),
      shown('as it is', [], hex('x')),
    ])
    expect(near.map(({ sha256, bankId }) => `${sha256}: ${bankId}`).toSorted()).toEqual([
      'as it is: allowed',
      'as it is: genuine',
      'farther: allowed',
      'turned: allowed',
      'turned: genuine',
    ])
  })

  test('whether it is the word of the bank’s owner alone is said, of each kind of word in one bank', async () => {
    const entries = createBankEntries()
    entries.putBank(bank('own', { kind: 'genuine', brandId: 'nike' }))
    entries.put({ ...image('own', 'own', hash('x')), source: { kind: 'api', by: 'brand' } })
    const look = createLookForOfficials(() => ({ size: 2, against: 2, change: 7n, match: entries.match.bind(entries) }))
    const told = async () => (await look([shown('a', [hex('x')])])).near.map(({ alone }) => alone)
    expect(await told()).toEqual([true])
    entries.put(image('vouched', 'own', hash('x', 9)))
    expect(new Set(await told())).toEqual(new Set([false, true]))
  })

  test('the change is the one before the first picture was compared: what moves meanwhile is compared by the store', async () => {
    const index = banksOf()
    const moving: BankIndex = {
      get size() {
        return index.size
      },
      get against() {
        return index.against
      },
      get change() {
        return index.change
      },
      match(picture) {
        index.change += 1n
        return index.match(picture)
      },
    }
    const { change, looked } = await createLookForOfficials(() => moving)([
      shown('a', [hex('a')]),
      shown('b', [hex('b')]),
    ])
    expect([change, looked.map(({ sha256 }) => sha256), index.change]).toEqual([7n, ['a', 'b'], 9n])
  })
})
