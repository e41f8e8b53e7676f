// The pictures of all banks in memory; everything is real but the hashes, which are invented with known distances.
import { describe, expect, test } from 'vitest'
import { accusingIn } from '../../../../src/pipeline/banks/accusing.ts'
import { createBankEntries } from '../../../../src/pipeline/banks/entries.ts'
import type { BankImage } from '../../../../src/domain/bank.ts'
import { bank, hash, image, seen, uuid } from './samples.ts'

const of = (...banks: ReturnType<typeof bank>[]) => {
  const entries = createBankEntries()
  for (const one of banks) entries.putBank(one)
  return entries
}
const found = (entries: ReturnType<typeof of>, picture: ReturnType<typeof seen>) =>
  entries.match(picture).map((m) => [m.bankId, m.imageId, m.distance, m.variant])

describe('the pictures of the banks', () => {
  test('a picture of a bank that is not known, and one without a hash, are not taken', () => {
    const entries = of(bank('a'))
    expect(() => entries.put(image('x', 'none', hash('x')))).toThrow('not known')
    expect(entries.put({ ...image('x', 'a', hash('x')), hash: 'not a hash' })).toBe(false)
    expect(entries.size).toBe(0)
  })

  test('a blank picture matches nothing, not even itself', () => {
    const entries = of(bank('a'))
    entries.put(image('x', 'a', hash('x')))
    expect(found(entries, seen(hash('x')))).toHaveLength(1)
    expect(found(entries, seen(hash('x'), 0, { blank: true }))).toEqual([])
  })

  test('every bank matches within its own distance, to the bit, and says who it is', () => {
    const entries = of(
      bank('near', { maxDistance: 10 }),
      bank('far', { maxDistance: 40, kind: 'allowed', brandId: 'nike' }),
    )
    entries.put(image('n', 'near', hash('x')))
    entries.put(image('f', 'far', hash('x')))
    expect(found(entries, seen(hash('x', 10)))).toEqual([
      ['far', uuid('f'), 10, 0],
      ['near', uuid('n'), 10, 0],
    ])
    // An allowed one speaks against nobody.
    expect([entries.size, accusingIn(entries)]).toEqual([2, 1])
    expect(found(entries, seen(hash('x', 11)))).toEqual([['far', uuid('f'), 11, 0]])
    expect(found(entries, seen(hash('x', 40)))).toEqual([['far', uuid('f'), 40, 0]])
    expect(found(entries, seen(hash('x', 41)))).toEqual([])
    expect(entries.match(seen(hash('x', 20)))).toMatchObject([
      { kind: 'allowed', brandId: 'nike', source: { kind: 'import', file: 'f\n".jpg' } },
    ])
  })

  test('the nearest of each bank, under whichever of the eight forms', () => {
    const entries = of(bank('a'), bank('b'))
    entries.put(image('far', 'a', hash('x', 20)))
    entries.put(image('near', 'a', hash('x', 4)))
    entries.put(image('turned', 'b', hash('x', 9)))
    for (let variant = 0; variant < 8; variant++)
      expect(found(entries, seen(hash('x'), variant))).toEqual([
        ['a', uuid('near'), 4, variant],
        ['b', uuid('turned'), 9, variant],
      ])
  })

  test('nobody’s word hides another’s in the same bank: the nearest of each is found, however many are nearer', () => {
    const entries = of(bank('a', { brandId: 'nike' }))
    const by = (name: string, bits: number, source: BankImage['source']) =>
      entries.put(image(name, 'a', hash('x', bits), { source }))
    for (let i = 0; i < 40; i++) by(`own${i}`, 1 + (i % 4), { kind: 'api', by: 'brand' })
    by('joined', 9, { kind: 'verdict', verdictId: 'V-1', brandIds: ['nike', 'gap'] })
    by('joined too', 8, { kind: 'verdict', verdictId: 'V-2', brandIds: ['gap', 'nike'] })
    by('joined for one', 20, { kind: 'verdict', verdictId: 'V-3', brandIds: ['nike'] })
    by('vouched for', 30, { kind: 'api' })
    by('nobody looked at', 2, { kind: 'verdict', by: 'nobody', verdictId: 'V-5', brandIds: ['nike'] })
    by('a brand alone confirmed', 3, { kind: 'verdict', by: 'brand', verdictId: 'V-4', brandIds: ['nike'] })
    expect(entries.match(seen(hash('x'))).map((m) => [m.imageId, m.distance])).toEqual([
      [expect.any(String), 1],
      [uuid('nobody looked at'), 2],
      [uuid('a brand alone confirmed'), 3],
      [uuid('joined too'), 8],
      [uuid('joined for one'), 20],
      [uuid('vouched for'), 30],
    ])
  })

  test('who vouches for a picture may change, and it is found as it was', () => {
    const entries = of(bank('a'))
    entries.put(image('x', 'a', hash('x'), { source: { kind: 'api', by: 'brand' } }))
    expect(entries.match(seen(hash('x')))).toMatchObject([{ source: { by: 'brand' } }])
    entries.put(image('x', 'a', hash('x'), { source: { kind: 'api' } }))
    expect(entries.match(seen(hash('x'))).map((m) => [m.imageId, m.source])).toEqual([[uuid('x'), { kind: 'api' }]])
    expect(entries.size).toBe(1)
  })

  test('a bank is found however many pictures of another one are nearer', () => {
    const entries = of(bank('crowd'), bank('lone'))
    for (let i = 0; i < 500; i++) entries.put(image(`c${i}`, 'crowd', hash('x', i % 8)))
    entries.put(image('lone', 'lone', hash('x', 30)))
    expect(found(entries, seen(hash('x')))).toMatchObject([
      ['crowd', expect.any(String), 0, 0],
      ['lone', uuid('lone'), 30, 0],
    ])
  })

  test('what is dropped or quarantined matches no more, and its place is nobody else’s evidence', () => {
    const entries = of(bank('a'), bank('b'))
    entries.put(image('x', 'a', hash('x')))
    entries.put(image('y', 'a', hash('y')))
    entries.drop(uuid('x'))
    entries.drop(uuid('x'))
    entries.put(image('z', 'b', hash('z')))
    expect([found(entries, seen(hash('x'))), found(entries, seen(hash('z')))]).toEqual([[], [['b', uuid('z'), 0, 0]]])
    entries.put(image('y', 'a', hash('y'), { state: 'quarantined' }))
    entries.put(image('y', 'a', hash('y'), { state: 'quarantined' }))
    expect(found(entries, seen(hash('y')))).toEqual([])
    expect([entries.size, entries.quarantined, entries.sizes()]).toEqual([
      1,
      1,
      { genuine: 0, counterfeit: 1, logo: 0, allowed: 0 },
    ])
    expect(accusingIn(entries)).toBe(1)
    entries.put(image('y', 'a', hash('y')))
    entries.put(image('y', 'a', hash('y')))
    expect(found(entries, seen(hash('y')))).toEqual([['a', uuid('y'), 0, 0]])
    expect([entries.size, entries.quarantined]).toEqual([2, 0])
    const ids = [uuid('y'), uuid('z')].map((id) => BigInt(`0x${id.slice(0, 8)}`))
    expect(entries.sum).toBe((ids[0] ?? 0n) + (ids[1] ?? 0n))
  })

  test('a picture is found by its derived forms too, and they come, move and go with it', () => {
    const entries = of(bank('a'), bank('b', { kind: 'allowed' }))
    const forms = (name: string) => [hash(`${name} half`), hash(`${name} bright`)].map((one) => one.toString('hex'))
    const byForm = (name: string) =>
      [name, `${name} half`, `${name} bright`].map((seed) =>
        entries.match(seen(hash(seed, 7), 5)).map((m) => [m.bankId, m.imageId, m.distance, m.variant, m.form]),
      )
    const all = (bankId: string, name: string) =>
      ['whole', 'half', 'half-brightened'].map((form) => [[bankId, uuid(name), 7, 5, form]])
    for (const name of ['x', 'z']) entries.put(image(name, 'a', hash(name), { forms: forms(name) }))
    entries.put(image('y', 'b', hash('y'), { forms: forms('y') }))
    expect([byForm('x'), byForm('y'), byForm('z')]).toEqual([all('a', 'x'), all('b', 'y'), all('a', 'z')])
    expect([entries.size, entries.sizes()]).toEqual([3, { genuine: 0, counterfeit: 2, logo: 0, allowed: 1 }])
    entries.putBank(bank('a', { maxDistance: 6 }))
    expect(byForm('x')).toEqual([[], [], []])
    entries.putBank(bank('a', { maxDistance: 40 }))
    entries.put(image('x', 'a', hash('x'), { state: 'quarantined', forms: forms('x') }))
    entries.drop(uuid('y'))
    // Into the places of those that went, without forms or with one that is blank: nothing of what was there is left.
    entries.put(image('v', 'b', hash('v')))
    entries.put(image('w', 'b', hash('w'), { forms: ['0'.repeat(64), hash('w bright').toString('hex')] }))
    expect([byForm('x'), byForm('y'), byForm('z')]).toEqual([[[], [], []], [[], [], []], all('a', 'z')])
    expect([byForm('v'), byForm('w')]).toEqual([
      [[['b', uuid('v'), 7, 5, 'whole']], [], []],
      [[['b', uuid('w'), 7, 5, 'whole']], [], [['b', uuid('w'), 7, 5, 'half-brightened']]],
    ])
    expect(entries.match(seen(Buffer.alloc(32)))).toEqual([])
    entries.put(image('x', 'a', hash('x'), { forms: forms('x') }))
    expect(byForm('x')).toEqual(all('a', 'x'))
  })

  test('a bank whose distance or name changes keeps its pictures', () => {
    const entries = of(bank('a'), bank('b'))
    for (let i = 0; i < 300; i++) entries.put(image(`a${i}`, 'a', hash(`a${i}`)))
    entries.put(image('x', 'b', hash('x')))
    expect(found(entries, seen(hash('a7', 31)))).toHaveLength(1)
    entries.putBank(bank('a', { maxDistance: 3 }))
    expect(found(entries, seen(hash('a7', 31)))).toEqual([])
    expect(found(entries, seen(hash('a7', 3)))).toEqual([['a', uuid('a7'), 3, 0]])
    expect(found(entries, seen(hash('x', 31)))).toHaveLength(1)
    entries.putBank(bank('a', { maxDistance: 31, kind: 'logo' }))
    expect(entries.match(seen(hash('a299', 31)))).toMatchObject([{ kind: 'logo', imageId: uuid('a299') }])
    expect(entries.size).toBe(301)
  })

  test('a bank moves to its new distance in steps, and matches on the way', () => {
    const entries = of(bank('a'))
    for (let i = 0; i < 300; i++) entries.put(image(`a${i}`, 'a', hash(`a${i}`)))
    let steps = 0
    for (const _ of entries.putBankInSteps(bank('a', { maxDistance: 3 }))) {
      steps++
      for (const i of [0, 150, 299]) expect(found(entries, seen(hash(`a${i}`, 3)))).toHaveLength(1)
    }
    expect(steps).toBeGreaterThan(2)
    expect(found(entries, seen(hash('a299', 4)))).toEqual([])
  })

  test('filled before it is asked, it is as if each had been put in one by one, with all that came meanwhile', () => {
    const filled = createBankEntries({ filling: true })
    const one = of(bank('a'), bank('b', { maxDistance: 12 }))
    for (const entries of [filled, one]) {
      entries.putBank(bank('a'))
      entries.putBank(bank('b'))
      for (let i = 0; i < 1_000; i++) entries.put(image(`i${i}`, i % 3 === 0 ? 'a' : 'b', hash(`i${i}`)))
      entries.drop(uuid('i1'))
      entries.put(image('i2', 'b', hash('i2'), { state: 'quarantined' }))
      entries.putBank(bank('b', { maxDistance: 12 }))
    }
    expect(filled.match(seen(hash('i5')))).toEqual([])
    expect([...filled.readyInSteps()].length).toBeGreaterThan(10)
    for (let i = 0; i < 20; i++) expect(filled.match(seen(hash(`i${i}`, i)))).toEqual(one.match(seen(hash(`i${i}`, i))))
    expect(found(filled, seen(hash('i4', 12)))).toEqual([['b', uuid('i4'), 12, 0]])
    filled.drop(uuid('i4'))
    expect([found(filled, seen(hash('i4'))), found(filled, seen(hash('i1'))), filled.size]).toEqual([[], [], 997])
  })

  test('one in quarantine for a marketplace matches there nothing, and hides no other of its bank', () => {
    const entries = createBankEntries()
    entries.putBank(bank('fakes'))
    const quarantineFor = (scope: 'all' | (string | null)[]) => ({
      state: 'quarantined' as const,
      quarantine: { scope, since: '2026-01-01T00:00:00Z', by: 'quarantine', why: 'too-many-sellers' as const },
    })
    const put = (more: Partial<BankImage> = {}) => entries.put(image('near', 'fakes', hash('x'), more))
    put()
    entries.put(image('far', 'fakes', hash('x', 9)))
    const found = () =>
      ['a', 'b', null].map((marketplace) => entries.match(seen(hash('x')), marketplace)[0]?.imageId === uuid('near'))
    const counts = () => [entries.size, entries.quarantined, entries.quarantinedForSome]
    expect([found(), counts()]).toEqual([
      [true, true, true],
      [2, 0, 0],
    ])
    put(quarantineFor(['a']))
    expect([found(), counts()]).toEqual([
      [false, true, true],
      [2, 0, 1],
    ])
    expect(entries.match(seen(hash('x')), 'a')).toMatchObject([{ imageId: uuid('far'), distance: 9 }])
    put(quarantineFor(['a', null]))
    expect([found(), counts()]).toEqual([
      [false, true, false],
      [2, 0, 1],
    ])
    put(quarantineFor('all'))
    expect([found(), counts()]).toEqual([
      [false, false, false],
      [1, 1, 0],
    ])
    put(quarantineFor(['b']))
    expect([found(), counts()]).toEqual([
      [true, false, true],
      [2, 0, 1],
    ])
    put()
    expect([found(), counts()]).toEqual([
      [true, true, true],
      [2, 0, 0],
    ])
    put(quarantineFor(['b']))
    entries.drop(uuid('near'))
    expect(counts()).toEqual([1, 0, 0])
  })
})
