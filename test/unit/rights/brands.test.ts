// The brands that ship and the reading of a brand file. Real: the data files and the schema.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseBrandFile, shippedBrands } from '../../../src/rights/brands.ts'
import { isCommonWord } from '../../../src/rights/parse-brand-file.ts'

const data = new URL('../../../src/rights/data/', import.meta.url)
const text = (name: string) => readFileSync(new URL(name, data), 'utf8')

describe('the brands that ship', () => {
  const brands = shippedBrands()
  const by = new Map(brands.map((b) => [b.brandId, b]))

  it('are thousands, each once, each with its source, frozen', () => {
    expect(brands.length).toBeGreaterThan(3_500)
    expect(by.size).toBe(brands.length)
    expect(brands.filter((b) => b.source === '')).toEqual([])
    expect(Object.isFrozen(brands) && brands.every((b) => Object.isFrozen(b))).toBe(true)
    expect(shippedBrands()).toBe(brands)
  })

  it('come only from sources that the README names with their licence', () => {
    const readme = text('README.md')
    for (const source of new Set(brands.map((b) => b.source))) expect(readme).toContain(`\`${source}\``)
    expect(readme).toContain('Redistributions in binary form must reproduce the above copyright notice')
  })

  it('stand one a line in a file that a person can read and a tool can compare', () => {
    const file = text('brands.json')
    expect(file.trimEnd().split('\n').length).toBe(brands.length + 2)
    expect(file.length).toBeLessThan(2_000_000)
  })

  it.each([
    'guess',
    'coach',
    'gap',
    'champion',
    'supreme',
    'diesel',
    'fossil',
    'vans',
    'apple',
    'palace',
    'off-white',
    'stone-island',
    'omega',
    'next',
    'target',
  ])('know that %s is also a word', (id) => {
    expect(by.get(id)?.ambiguous).toBe(true)
  })

  it('do not take much-copied names that are no words for words', () => {
    for (const id of ['nike', 'gucci', 'rolex', 'louis-vuitton', 'chanel', 'adidas'])
      expect(by.get(id)).toMatchObject({ ambiguous: false, copied: 'most' })
  })

  it('mark every list name that is a common word', () => {
    const unmarked = brands.filter((b) => b.source !== 'touchstone' && !b.ambiguous && isCommonWord(b.name))
    expect(unmarked.map((b) => b.name)).toEqual([])
  })

  it('hold every mark of the curated list', () => {
    const names = text('copied-marks.txt')
      .split('\n')
      .filter((l) => l !== '' && !l.startsWith('#'))
      .map((l) => (l.split('|')[0] ?? '').replace(/^!/, '').replace(/=.*/, ''))
    const shipped = new Set(brands.filter((b) => b.source === 'touchstone').map((b) => b.name))
    expect(names.length).toBeGreaterThan(300)
    expect(names.filter((n) => !shipped.has(n))).toEqual([])
  })
})

describe('a brand file', () => {
  const nordhavn = { brandId: 'nordhavn', name: 'Nordhavn', copied: 'some' }

  it('may be an array or a brand a line, with a byte-order mark, blank lines and Windows line ends', () => {
    expect(parseBrandFile(JSON.stringify([nordhavn])).brands).toMatchObject([nordhavn])
    expect(parseBrandFile(`\uFEFF${JSON.stringify(nordhavn)}\r\n\r\n`).brands).toMatchObject([nordhavn])
    expect(parseBrandFile(JSON.stringify(nordhavn, null, 2).replaceAll('\n', ' ')).brands).toMatchObject([nordhavn])
    expect(parseBrandFile('')).toEqual({ brands: [], rejects: [], warnings: [] })
  })

  it('says which line is wrong and where, and keeps the others', () => {
    const rows = [
      JSON.stringify(nordhavn),
      '{"brandId":',
      JSON.stringify({ brandId: 'Not Good', name: 'x' }),
      JSON.stringify({ brandId: 'b', name: 'B', aliases: [{ text: '' }] }),
      JSON.stringify(nordhavn),
      '7',
    ]
    const { brands, rejects } = parseBrandFile(rows.join('\n'))
    expect(brands.map((b) => b.brandId)).toEqual(['nordhavn'])
    expect(rejects.map((r) => [r.line, r.code, r.path])).toEqual([
      [2, 'not-json', ''],
      [3, 'brand-invalid', '/brandId'],
      [4, 'brand-invalid', '/aliases/0/text'],
      [5, 'brand-invalid', '/brandId'],
      [6, 'brand-invalid', ''],
    ])
  })

  it('warns of a common word that is not marked as one', () => {
    const warned = parseBrandFile(
      JSON.stringify([
        { brandId: 'bloom', name: 'Target' },
        { brandId: 'gap', name: 'Gap', ambiguous: true },
        nordhavn,
      ]),
    ).warnings
    expect(warned).toMatchObject([{ line: 1, brandId: 'bloom' }])
  })

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.array(fc.json()).map((rows) => rows.join('\n')),
        ),
        (file) => {
          const { brands, rejects } = parseBrandFile(file)
          expect(brands.length + rejects.length).toBeLessThanOrEqual(Math.max(1, file.length))
        },
      ),
    )
  })
})
