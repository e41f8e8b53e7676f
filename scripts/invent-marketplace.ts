// Invents the labelled listings of fixtures/marketplace/ from its words: node scripts/invent-marketplace.ts writes listings.jsonl, the same each time.
import { readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'

const folder = new URL('../fixtures/marketplace/', import.meta.url)
const texts = z.array(z.string()).min(1)
const phrases = z.object({ title: texts, description: texts })
const words = z
  .object({
    goods: z.array(
      z.object({
        kind: z.string(),
        category: texts,
        price: z.tuple([z.number(), z.number()]),
        brands: texts,
        models: texts,
        sizes: texts,
      }),
    ),
    colours: texts,
    conditions: z.object({ new: texts, used: texts }),
    honest: phrases,
    traps: z.array(z.object({ brand: z.string().nullable(), title: z.string() })),
    trapDescriptions: texts,
    overt: phrases,
    silent: phrases,
  })
  .parse(JSON.parse(readFileSync(new URL('words.json', folder), 'utf8')))

/** Mulberry32: a fixed start, so that the file can be made again. */
let state = 20_260_105
function random(): number {
  state = (state + 0x6d2b79f5) | 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}
const chance = (share: number): boolean => random() < share
function pick<T>(from: readonly T[]): T {
  const one = from[Math.floor(random() * from.length)]
  if (one === undefined) throw new Error('nothing to pick from')
  return one
}
function some<T>(from: readonly T[], count: number): T[] {
  const left = [...from]
  return Array.from({ length: Math.min(count, left.length) }, () => {
    const one = pick(left)
    left.splice(left.indexOf(one), 1)
    return one
  })
}

type Kind = 'honest' | 'overt' | 'silent'

/** A seller has words of its own, so that whoever learns sellers by heart fails on the others. */
function invent(kind: Kind, number: number) {
  const fakes = kind === 'honest' ? undefined : words[kind]
  return {
    sellerId: `market-seller-${String(number).padStart(3, '0')}`,
    kind,
    titles: fakes === undefined ? [] : some(fakes.title, 6),
    descriptions: fakes === undefined ? [] : some(fakes.description, 4),
    honestTitles: some(words.honest.title, 5),
    honestDescriptions: some(words.honest.description, 7),
    brandFirst: chance(0.7),
    country: pick(['DE', 'US', 'CN', 'IT', 'GB', 'HK', 'PL', 'FR']),
  }
}

/** Of 90 sellers 54 are honest; numbers say nothing, since the order is drawn. */
const kinds = Array.from({ length: 90 }, (_, i): Kind => (i < 54 ? 'honest' : i < 72 ? 'overt' : 'silent'))
const sellers = some(kinds, kinds.length).map((kind, i) => invent(kind, i + 1))
type Seller = (typeof sellers)[number]

/** Half a year. */
const FIRST_DAY = Date.UTC(2026, 0, 5)
const DAYS = 180

function listingOf(seller: Seller, number: number) {
  // Counterfeiters sell honest goods too, and write much as everybody does.
  const kind: Kind = seller.kind !== 'honest' && chance(0.15) ? 'honest' : seller.kind
  const trap = kind === 'honest' && chance(0.18) ? pick(words.traps) : undefined
  const fitting = words.goods.filter((g) => typeof trap?.brand !== 'string' || g.brands.includes(trap.brand))
  const goods = pick(fitting)
  const condition = chance(0.6) ? 'new' : 'used'
  const brand = trap?.brand ?? pick(goods.brands)
  const [model, colour, size] = [pick(goods.models), pick(words.colours), pick(goods.sizes)]
  const said: string[] = []
  if (kind !== 'honest')
    said.push(...some(seller.titles, chance(kind === 'overt' ? 0.95 : 0.6) ? (chance(0.4) ? 2 : 1) : 0))
  if (chance(kind === 'honest' ? 0.6 : 0.3)) said.push(pick(seller.honestTitles))
  if (kind === 'honest' && chance(0.08)) said.push(pick(words.silent.title))
  const head = seller.brandFirst ? `${brand} ${model}` : `${model} ${brand}`
  const title =
    trap?.title
      .replace('{brand}', brand)
      .replace('{model}', model)
      .replace('{colour}', colour)
      .replace('{size}', size) ?? [head, colour, ...some(said, 3), size, pick(words.conditions[condition])].join(' ')
  const at = new Date(FIRST_DAY + Math.floor(random() * DAYS * 86_400_000))
  const [low, high] = goods.price
  return {
    listing: {
      listingId: `market-${String(number).padStart(4, '0')}`,
      revision: 1,
      submittedAt: at.toISOString(),
      marketplace: 'demo',
      sellerId: seller.sellerId,
      title,
      ...(chance(0.75) ? { description: descriptionOf(seller, kind) } : {}),
      language: 'en',
      brand,
      category: goods.category,
      condition,
      // Silent counterfeits cost what the real thing costs as often as not: a text model shall not lean on it.
      price: { amount: Math.round(low + random() * (high - low)), currency: 'USD' },
      quantity: chance(0.5) ? 1 : 1 + Math.floor(random() * 40),
      ...(chance(0.5) ? { shipsFrom: seller.country } : {}),
    },
    label: kind === 'honest' ? 'legitimate' : 'counterfeit',
    ...(kind === 'overt' ? { overt: true } : {}),
  }
}

function descriptionOf(seller: Seller, kind: Kind): string {
  const sentences = some(seller.honestDescriptions, 1 + Math.floor(random() * 3))
  if (kind !== 'honest' && chance(0.8)) sentences.push(...some(seller.descriptions, 1 + Math.floor(random() * 2)))
  if (kind === 'honest' && chance(0.25)) sentences.push(pick(words.trapDescriptions))
  if (kind === 'honest' && chance(0.05)) sentences.push(pick(words.silent.description))
  return some(sentences, sentences.length).join(' ')
}

const rows = Array.from({ length: 1_500 }, (_, i) => listingOf(pick(sellers), i + 1))
rows.sort((a, b) => a.listing.submittedAt.localeCompare(b.listing.submittedAt))
writeFileSync(new URL('listings.jsonl', folder), `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`)
