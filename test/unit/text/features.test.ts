// What a text model is asked with. Real: the features, the normaliser, the stemmers of natural.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  featuresOfListing,
  featuresOfReading,
  MOST_FEATURES,
  TEXT_FEATURES,
  type TextFeatures,
} from '../../../src/text/features.ts'
import { compileBrandDictionary } from '../../../src/text/brand-dictionary.ts'
import { readListing } from '../../../src/text/reading.ts'
import { stemsOf } from '../../../src/text/stems.ts'

const idsOf = (title: string, description?: string): number[] => [
  ...featuresOfListing({ title, ...(description === undefined ? {} : { description }) }).ids,
]

const gramsOf = (f: TextFeatures) => Array.from(f.ids, (_, i) => f.gram(i))

describe('the features of a text', () => {
  it('are bounded however long and odd it is, in rising rows of the table, row 0 left out', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 3_000 }),
      fc.string({ unit: 'grapheme', maxLength: 500 }),
    )
    fc.assert(
      fc.property(text, text, (title, description) => {
        const { ids, values } = featuresOfListing({ title, description })
        expect(values).toHaveLength(ids.length)
        expect(ids.length).toBeLessThanOrEqual(MOST_FEATURES)
        ids.forEach((id, i) => expect(id).toBeGreaterThan(i === 0 ? 0 : (ids[i - 1] ?? 0)))
        expect(ids.at(-1) ?? 0).toBeLessThan(TEXT_FEATURES.table)
        for (const value of values) expect(value > 0 && value <= 3.001).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  it('reach their bound at the longest listing there may be, and no further', () => {
    const words = Array.from({ length: 9_000 }, (_, i) => `w${String.fromCharCode(97 + (i % 26))}${i.toString(36)}`)
    const longest = featuresOfListing({
      title: words.join(' ').slice(0, 2_000),
      description: words.join(' ').slice(0, 50_000),
    })
    expect(longest.ids.length).toBeGreaterThan(800)
    expect(longest.ids.length).toBeLessThanOrEqual(MOST_FEATURES)
    const more = featuresOfListing({ title: words.join(' '), description: `${words.join(' ')} replica`.repeat(3) })
    expect([...more.ids]).toEqual([...longest.ids])
  })

  it('are the same in training and where it decides', () => {
    for (const listing of [
      { title: 'Rolex 𝗿𝗲𝗽𝗹𝗶𝗰𝗮 AAA+', description: 'Beste Qualität, реплики' },
      { title: '高仿 Gucci', description: '一比一' },
    ]) {
      const read = readListing({ listingId: 'L', revision: 1, sellerId: 'S', ...listing }, compileBrandDictionary([]))
      const [asked, trained] = [featuresOfReading(read), featuresOfListing(listing)]
      expect([asked.ids, asked.values, gramsOf(asked)]).toEqual([trained.ids, trained.values, gramsOf(trained)])
    }
  })

  it('see through accents, fancy letters, endings and figures', () => {
    expect(idsOf('𝗖𝗵𝗮𝗻𝗲𝗹 Réplica')).toEqual(idsOf('chanel replica'))
    expect(stemsOf('replicas qualities реплики реплика 2024 40 高仿', 10)).toEqual([
      'replica',
      'qualiti',
      'реплик',
      'реплик',
      '0',
      '0',
      '高仿',
    ])
    expect(stemsOf('constructor __proto__ hasOwnProperty', 10)).toHaveLength(3)
  })

  it('tell a title from a description, and repeating from saying', () => {
    const [once, often] = ['fake', 'fake '.repeat(200)].map((description) =>
      featuresOfListing({ title: 'bag', description }),
    )
    const title = featuresOfListing({ title: 'bag fake' })
    const word = (f: typeof title, part: string) =>
      gramsOf(f).findIndex((g) => g.kind === 'words' && g.part === part && g.text === 'fake')
    expect(once?.ids[word(once, 'description')]).not.toBe(title.ids[word(title, 'title')])
    // One word among others: a repeated one shares its length with the pairs of itself.
    expect(often?.values[word(often, 'description')]).toBeLessThanOrEqual(once?.values[word(once, 'description')] ?? 0)
  })

  it('never change without a new version: models that were trained would be asked something else', () => {
    const { ids, values } = featuresOfListing({ title: 'Rolex replicas 1:1', description: 'best quality 2024' })
    let sum = 0
    ids.forEach((id, i) => (sum = (Math.imul(sum, 31) + id * 1000 + Math.round((values[i] ?? 0) * 1000)) | 0))
    expect({ version: TEXT_FEATURES.version, count: ids.length, sum }).toMatchInlineSnapshot(`
      {
        "count": 64,
        "sum": 606360925,
        "version": 1,
      }
    `)
  })
})
