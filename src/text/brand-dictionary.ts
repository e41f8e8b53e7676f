// Brands, compiled once into the indexes by which a listing's text is searched for them, plainly written or disguised.
import type { Brand } from '../domain/brand.ts'
import { buildAutomaton, type Automaton } from './automaton.ts'
import { classOf, UNSPACED } from './characters.ts'
import { indexDisguises, type DisguiseIndex } from './disguise-index.ts'
import type { DictionaryName } from './mention.ts'
import { normalise } from './normalise.ts'

export interface BrandDictionary {
  readonly names: readonly DictionaryName[]
  /** Its patterns are `names` in the same order. */
  readonly automaton: Automaton
  readonly disguises: DisguiseIndex
}

const RANK = { most: 0, some: 1, unknown: 2 } as const
const DEVICE_CLASSES: ReadonlySet<string> = new Set(['electronics', 'computer', 'phone', 'camera', 'console', 'tools'])

/** Where two brands claim one spelling, the one that is copied more has it, then the one that comes first. */
export function compileBrandDictionary(brands: readonly Brand[]): BrandDictionary {
  const byText = new Map<string, DictionaryName>()
  const ranked = brands.toSorted((a, b) => RANK[a.copied] - RANK[b.copied])
  for (const brand of ranked) {
    for (const name of namesOf(brand)) if (!byText.has(name.text)) byText.set(name.text, name)
  }
  const names = [...byText.values()]
  return { names, automaton: buildAutomaton(names.map((n) => n.text)), disguises: indexDisguises(names) }
}

function* namesOf(brand: Brand): Generator<DictionaryName> {
  const device = brand.classes.some((c) => DEVICE_CLASSES.has(c))
  const make = (text: string, ambiguous: boolean, kind: DictionaryName['kind']): DictionaryName => ({
    brandId: brand.brandId,
    text,
    ambiguous: ambiguous || tooShort(text),
    kind,
    copied: brand.copied,
    device,
  })
  for (const text of spellings(brand.name)) yield make(text, brand.ambiguous, 'name')
  for (const alias of brand.aliases) {
    for (const text of spellings(alias.text)) {
      const word = alias.kind === 'nickname' || (brand.ambiguous && isShortUnspaced(text))
      yield make(text, word, alias.kind)
    }
  }
}

const isShortUnspaced = (text: string) => text.length <= 2 && classOf(text.charCodeAt(0)) === UNSPACED

/** Three Latin letters or fewer stand for too much else; so does one Han character. */
function tooShort(text: string): boolean {
  return isShortUnspaced(text.slice(0, 3)) ? text.length < 2 : text.replace(/[^\p{L}\p{N}]/gu, '').length <= 3
}

/** How one name is honestly written: with its marks, without them, with blanks or without. */
export function spellings(name: string): ReadonlySet<string> {
  const found = new Set<string>()
  // Look-alike words of other scripts are judged by the text around them, so the name is kept in both readings.
  for (const base of new Set([normalise(name).text, name.normalize('NFKC').toLowerCase()])) {
    const plain = base.replace(/[™®©]/g, '').trim()
    const variants = [plain, plain.replaceAll("'", ''), plain.replace(/[-·・]/g, ' '), plain.replace(/[·・]/g, '')]
    variants.push(
      plain.replace(/\s*&\s*/g, ' and '),
      plain.replace(/\s*&\s*/g, '&'),
      plain.replace(/\s*[&+]\s*/g, ' & '),
    )
    variants.push(plain.replace(/ and /g, ' & '))
    const words = plain.split(' ')
    // Hashtags and brand fields write several words as one; two short words so joined would be some other word.
    if (words.length > 1 && plain.length >= 9) variants.push(words.join(''), words.join('-'))
    for (const variant of variants) {
      const tidy = variant.replace(/\s+/g, ' ').trim()
      if (/[\p{L}\p{N}]/u.test(tidy) && (tidy.length > 1 || plain === tidy)) found.add(tidy)
    }
  }
  for (const text of found) if (text.length < 2) found.delete(text)
  return found
}
