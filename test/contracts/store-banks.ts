// What every store must keep of banks: one order of changes that nobody who follows can miss, and each owner's own alone.
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { confirmedBank, bankSchema } from '../../src/domain/bank.ts'
import type { Bank, BankImage } from '../../src/domain/bank.ts'
import type { KeptPicture } from '../../src/domain/kept-picture.ts'
import type { BankScope, BankStore, IndexedImage } from '../../src/rights/bank-ports.ts'

/** A fresh, empty store that several processes share. */
export interface SharedBankStore {
  node(): Promise<BankStore>
  /** The change number of all reference data, whoever moved it. */
  head(): Promise<bigint>
  /** As an older version left it there, whatever is allowed now. */
  putBank(bank: Bank): Promise<void>
  close(): Promise<void>
}

export const bank = (bankId: string, more: Partial<Bank> = {}): Bank =>
  bankSchema.parse({ bankId, name: bankId, kind: 'counterfeit', ...more })

const hex = (text: string) => createHash('sha256').update(text).digest('hex')
export const picture = (name: string, more: Partial<KeptPicture> = {}): KeptPicture => ({
  sha256: hex(name),
  hash: hex(`hash of ${name}`),
  quality: 90,
  blank: false,
  forms: [hex(`half of ${name}`), hex(`brightened half of ${name}`)],
  variants: [more.hash ?? hex(`hash of ${name}`), hex(`mirror of ${name}`)],
  width: 640,
  height: 480,
  body: Buffer.from(`webp of ${name}`),
  ...more,
})
export const added = (names: readonly string[], source: BankImage['source'] = { kind: 'api' }) =>
  names.map((name) => ({ picture: picture(name), source }))
const nike: BankScope = { brandIds: ['nike'] }

export function bankStoreContract(name: string, start: () => Promise<SharedBankStore>): void {
  describe(`${name}: banks`, () => {
    let shared: SharedBankStore
    let one: BankStore
    let two: BankStore
    beforeEach(async () => {
      shared = await start()
      one = await shared.node()
      two = await shared.node()
    })
    afterEach(() => shared.close())

    test('nothing is added to a bank that is not there, and no blank picture to any', async () => {
      await expect(one.addImages('none', added(['a']), 'ann', 'all')).rejects.toMatchObject({ code: 'not-found' })
      await one.upsertBank(bank('fakes'), 'ann', 'all')
      const before = await shared.head()
      const blank = [
        ...added(['a']),
        { picture: picture('b', { blank: true, quality: 3 }), source: { kind: 'api' as const } },
      ]
      await expect(one.addImages('fakes', blank, 'ann', 'all')).rejects.toMatchObject({ code: 'picture-blank' })
      expect(await two.images('fakes', { limit: 10 })).toEqual([])
      expect(await shared.head()).toBe(before)
    })

    test('a bank of others is neither seen nor changed, whatever is asked of it', async () => {
      await one.upsertBank(bank('nikes', { brandId: 'nike' }), 'ann', nike)
      await one.upsertBank(bank('gaps', { brandId: 'gap' }), 'ann', 'all')
      await one.upsertBank(bank('ours'), 'ann', 'all')
      const {
        added: [image],
      } = await one.addImages('gaps', added(['a']), 'ann', 'all')
      const imageId = image?.imageId ?? ''
      expect((await two.banks(nike)).map((b) => b.bankId)).toEqual(['nikes'])
      expect((await two.banks('all')).map((b) => b.bankId)).toEqual(['gaps', 'nikes', 'ours'])
      expect(await two.bank('gaps', nike)).toBeUndefined()
      expect(await two.bank('ours', nike)).toBeUndefined()
      await expect(two.upsertBank(bank('gaps', { brandId: 'nike' }), 'bob', nike)).rejects.toMatchObject({
        code: 'bank-taken',
      })
      await expect(two.upsertBank(bank('new', { brandId: 'gap' }), 'bob', nike)).rejects.toMatchObject({
        code: 'bank-taken',
      })
      await expect(two.upsertBank(bank('new'), 'bob', nike)).rejects.toMatchObject({ code: 'bank-taken' })
      await expect(two.addImages('gaps', added(['b']), 'bob', nike)).rejects.toMatchObject({ code: 'not-found' })
      expect(await two.removeImage('gaps', imageId, 'bob', nike)).toBe(false)
      expect(await two.removeImage('nikes', imageId, 'bob', 'all')).toBe(false)
      expect(await two.quarantine('gaps', imageId, 'bob', true, nike)).toBe(false)
      expect(await two.quarantine('nikes', imageId, 'bob', true, 'all')).toBe(false)
      expect((await one.images('gaps', { limit: 10 })).map((i) => i.state)).toEqual(['active'])
    })

    test('whoever guesses names does not learn whether there are confirmed counterfeits of somebody else', async () => {
      const guess = async () => {
        const refused: unknown = await one
          .upsertBank(bank('confirmed-gap', { brandId: 'nike' }), 'bob', nike)
          .catch((error: unknown) => error)
        expect(refused).toMatchObject({ code: 'bank-taken' })
        return String(refused)
      }
      const before = await guess()
      await one.upsertBank(confirmedBank('gap'), 'ann', 'all')
      expect(await guess()).toBe(before)
    })

    test('kind and owner of a bank stay while it has pictures; names of confirmed banks mean nothing else', async () => {
      expect(await one.upsertBank(bank('b', { brandId: 'gap' }), 'ann', 'all')).toMatchObject({ isNew: true })
      expect(await one.upsertBank(bank('b', { brandId: 'nike' }), 'ann', 'all')).toMatchObject({ isNew: false })
      const {
        added: [image],
      } = await one.addImages('b', added(['a']), 'ann', 'all')
      await expect(one.upsertBank(bank('b', { kind: 'allowed', brandId: 'nike' }), 'ann', 'all')).rejects.toMatchObject(
        { code: 'bank-taken' },
      )
      await expect(one.upsertBank(bank('b', { brandId: 'gap' }), 'ann', 'all')).rejects.toMatchObject({
        code: 'bank-taken',
      })
      await one.upsertBank(bank('b', { brandId: 'nike', maxDistance: 12 }), 'ann', 'all')
      expect(await two.bank('b', nike)).toMatchObject({ maxDistance: 12, kind: 'counterfeit' })
      await one.removeImage('b', image?.imageId ?? '', 'ann', 'all')
      await one.upsertBank(bank('b', { kind: 'allowed' }), 'ann', 'all')
      for (const [bankId, more] of [
        ['confirmed', { kind: 'allowed' }],
        ['confirmed-nike', { brandId: 'gap' }],
      ] as const)
        await expect(one.upsertBank(bank(bankId, more), 'ann', 'all')).rejects.toMatchObject({ code: 'bank-taken' })
      await one.upsertBank({ ...confirmedBank('nike'), maxDistance: 20 }, 'ann', 'all')
    })

    test('brands of long ids have banks of their own, and what an older gate gave them stays theirs to change', async () => {
      const [long, other] = ['a', 'b'].map((end) => `${'x'.repeat(90)}-${end}`) as [string, string]
      expect(confirmedBank(long).bankId).not.toBe(confirmedBank(other).bankId)
      for (const brandId of [long, other]) {
        const { bankId } = confirmedBank(brandId)
        expect(bankId).toMatch(/^confirmed--x{56}-[0-9a-f]{32}$/)
        expect(await one.upsertBank(confirmedBank(brandId), 'ann', 'all')).toMatchObject({ isNew: true })
        // No brand's id makes that name, and no other brand may have it.
        await expect(one.upsertBank(bank(bankId, { brandId: 'nike' }), 'ann', 'all')).rejects.toMatchObject({
          code: 'bank-taken',
        })
      }
      // As it was cut: it is new to nobody, but where it is there it may be changed.
      const cut = { ...confirmedBank(long), bankId: `confirmed-${'x'.repeat(90)}` }
      await expect(one.upsertBank(cut, 'ann', 'all')).rejects.toMatchObject({ code: 'bank-taken' })
      await shared.putBank(cut)
      await one.upsertBank({ ...cut, maxDistance: 12 }, 'ann', { brandIds: [long] })
      expect(await two.bank(cut.bankId, { brandIds: [long] })).toMatchObject({ maxDistance: 12 })
      for (const change of [{ brandId: other }, { brandId: 'x'.repeat(80) }, { kind: 'genuine' as const }])
        await expect(one.upsertBank({ ...cut, ...change }, 'ann', 'all')).rejects.toMatchObject({ code: 'bank-taken' })
    })

    test('what is said twice changes nothing and moves no number; what was removed can be added again', async () => {
      await one.upsertBank(bank('b'), 'ann', 'all')
      await one.upsertBank(bank('b'), 'bob', 'all')
      expect(await shared.head()).toBe(1n)
      const first = await one.addImages('b', added(['a', 'b', 'a']), 'ann', 'all')
      expect([first.added.length, first.present]).toEqual([2, 1])
      const again = await two.addImages('b', added(['b', 'c']), 'bob', 'all')
      expect([again.added.map((i) => [i.sha256, i.addedBy]), again.present]).toEqual([[[hex('c'), 'bob']], 1])
      expect(await two.addImages('b', added(['a']), 'bob', 'all')).toEqual({ added: [], present: 1 })
      expect(await shared.head()).toBe(3n)
      const imageId = again.added[0]?.imageId ?? ''
      expect(await one.removeImage('b', imageId, 'ann', 'all')).toBe(true)
      expect(await one.removeImage('b', imageId, 'ann', 'all')).toBe(false)
      expect(await one.quarantine('b', imageId, 'ann', true, 'all')).toBe(false)
      expect(await shared.head()).toBe(4n)
      expect((await one.addImages('b', added(['c']), 'ann', 'all')).added).toHaveLength(1)
      const all: string[] = []
      for (let after: string | undefined; ;) {
        const page = await two.images('b', { after, limit: 2 })
        if (page.length === 0) break
        all.push(...page.map((i) => i.sha256))
        after = page.at(-1)?.imageId
      }
      expect(all.toSorted()).toEqual([hex('a'), hex('b'), hex('c')].toSorted())
    })

    test('the copy of each verdict is its own; a quarantined picture is counted apart and can be let out', async () => {
      await one.upsertBank(bank('b'), 'ann', 'all')
      await one.addImages(
        'b',
        added(['a'], { kind: 'verdict', verdictId: 'V-1', file: 'half \ud83c pair \u0000' }),
        'ann',
        'all',
      )
      const {
        added: [image],
      } = await one.addImages('b', added(['a'], { kind: 'verdict', verdictId: 'V-2' }), 'ann', 'all')
      const imageId = image?.imageId ?? ''
      expect(await one.quarantine('b', imageId, 'watch', true, 'all')).toBe(true)
      expect(await two.quarantine('b', imageId, 'watch', true, 'all')).toBe(false)
      expect(await two.banks('all')).toEqual([{ ...bank('b'), images: 1, quarantined: 1, alerted: 0, limited: 0 }])
      expect((await two.images('b', { limit: 9 })).map((i) => `${i.source.verdictId} ${i.state}`).toSorted()).toEqual([
        'V-1 active',
        'V-2 quarantined',
      ])
      expect(await one.quarantine('b', imageId, 'ann', false, 'all')).toBe(true)
      expect(await two.banks('all')).toMatchObject([{ images: 2, quarantined: 0 }])
    })

    test('who follows the changes in small steps ends with exactly what is there, and no change comes torn', async () => {
      const held = new Map<string, IndexedImage>()
      let change = 0n
      const follow = async (): Promise<void> => {
        for (;;) {
          const next = await two.changesSince(change, 2)
          const known = new Set<string>()
          for (const image of next.images) {
            if ('removed' in image) held.delete(image.imageId)
            else held.set(image.imageId, image)
            known.add(image.imageId)
          }
          change = next.change
          if (change >= next.head) return
        }
      }
      await one.upsertBank(bank('b'), 'ann', 'all')
      const { added: first } = await one.addImages('b', added(['a', 'b', 'c', 'd', 'e']), 'ann', 'all')
      const torn = await two.changesSince(0n, 2)
      expect([torn.images.length, torn.change, torn.head, torn.banks.length]).toEqual([5, 2n, 2n, 1])
      await follow()
      expect(held.size).toBe(5)
      const [a, b] = first
      await one.removeImage('b', a?.imageId ?? '', 'ann', 'all')
      await one.quarantine('b', b?.imageId ?? '', 'ann', true, 'all')
      await one.addImages('b', added(['f']), 'ann', 'all')
      await one.upsertBank(bank('late'), 'ann', 'all')
      await follow()
      const formsOf = new Map(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => [hex(name), picture(name).forms]))
      const there = (await one.images('b', { limit: 100 })).map((i) => ({ ...i, forms: formsOf.get(i.sha256) }))
      expect([...held.values()].toSorted((x, y) => (x.imageId < y.imageId ? -1 : 1))).toEqual(there)
      expect(change).toBe(await shared.head())
      const fresh = await two.changesSince(0n, 100)
      expect(fresh.images.filter((i) => 'removed' in i)).toEqual([])
      expect(fresh.banks.map((x) => x.bankId)).toEqual(['b', 'late'])
    })

    test('the census says which pictures are active, by their ids', async () => {
      await one.upsertBank(bank('b'), 'ann', 'all')
      expect(await one.census()).toEqual({ change: 1n, images: 0, sum: 0n })
      const { added: images } = await one.addImages('b', added(['a', 'b', 'c']), 'ann', 'all')
      await one.quarantine('b', images[0]?.imageId ?? '', 'ann', true, 'all')
      const sum = images.slice(1).reduce((total, { imageId }) => total + BigInt(`0x${imageId.slice(0, 8)}`), 0n)
      expect(await two.census()).toEqual({ change: 3n, images: 2, sum })
    })

    test('removed pictures are forgotten after their time, and whoever missed them is told by the floor', async () => {
      await one.upsertBank(bank('b'), 'ann', 'all')
      const { added: images } = await one.addImages('b', added(['a', 'b']), 'ann', 'all')
      for (const { imageId } of images) await one.removeImage('b', imageId, 'ann', 'all')
      expect(await one.purge(60, 100)).toBe(0)
      expect((await two.changesSince(2n, 10)).floor).toBe(0n)
      expect(await one.purge(0, 1)).toBe(1)
      expect(await one.purge(0, 100)).toBe(1)
      expect(await one.purge(0, 100)).toBe(0)
      expect(await two.changesSince(2n, 10)).toMatchObject({ images: [], change: 4n, head: 4n, floor: 4n })
    })

    test('another process hears of a change', async () => {
      const told = Promise.withResolvers<void>()
      const stop = await two.onChange(told.resolve)
      await one.upsertBank(bank('b'), 'ann', 'all')
      await told.promise
      await stop()
    })

    test('two that add the same pictures in opposite orders wait for each other, and both go on', async () => {
      await one.upsertBank(bank('b'), 'ann', 'all')
      await one.upsertBank(bank('c'), 'ann', 'all')
      const names = Array.from({ length: 60 }, (_, i) => `n${i}`)
      for (let round = 0; round < 5; round++) {
        const these = names.map((n) => `${round} ${n}`)
        const results = await Promise.all([
          one.addImages('b', added(these), 'ann', 'all'),
          two.addImages('c', added(these.toReversed()), 'bob', 'all'),
        ])
        expect(results.map((r) => r.added.length)).toEqual([60, 60])
      }
    })

    test('a store is always the same one', async () => {
      expect(await one.identity()).toBe(await two.identity())
    })
  })
}
