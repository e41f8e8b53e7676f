// Decides whether a brand that is also a word (Guess, Gap, Boss) is meant as the brand where it stands.
import { buildAutomaton } from './automaton.ts'
import { normalise, type Normalised } from './normalise.ts'

/** Goods that such brands sell; with one near, a capitalised word is taken for the name. */
// prettier-ignore
const GOODS = [
  'bag', 'handbag', 'tote', 'purse', 'wallet', 'crossbody', 'satchel', 'backpack', 'clutch', 'shoes', 'shoe',
  'sneakers', 'sneaker', 'trainers', 'boots', 'sandals', 'slides', 'loafers', 'heels', 'hoodie', 'sweatshirt',
  'sweater', 'shirt', 't-shirt', 'tee', 'tshirt', 'jacket', 'coat', 'jeans', 'pants', 'trousers', 'shorts', 'dress',
  'skirt', 'polo', 'cap', 'hat', 'beanie', 'socks', 'underwear', 'tracksuit', 'jersey', 'vest', 'parka', 'cardigan',
  'suit', 'blazer', 'belt', 'scarf', 'watch', 'watches', 'sunglasses', 'glasses', 'eyewear', 'bracelet', 'necklace',
  'ring', 'earrings', 'perfume', 'cologne', 'eau de toilette', 'eau de parfum', 'edt', 'edp', 'lipstick',
  'foundation', 'denim', 'tasche', 'schuhe', 'jacke', 'hemd', 'sac', 'chaussures', 'veste', 'bolso', 'zapatos',
  'chaqueta', 'borsa', 'scarpe', 'giacca', 'сумка', 'кроссовки', 'куртка', 'часы', '包', '鞋', '衣', '裤', '表', '外套',
  '卫衣', 'バッグ', '財布', '靴', '時計', 'speaker', 'speakers', 'headphones', 'headset', 'earbuds', 'earphones',
  'soundbar', 'phone', 'smartphone', 'laptop', 'tablet', 'camera', 'lens', 'console', 'charger', 'bearing', 'bearings',
  'drill', 'saw', 'wrench', 'toner', 'cartridge', 'vacuum', 'trimmer', 'razor', 'doll',
] as const
const goods = buildAutomaton(GOODS.map((g) => normalise(g).text))

/** Words that, right before, announce a name. */
const ANNOUNCES =
  /(?:^|[^\p{L}])(?:by|brand|brand:|designer|authentic|genuine|марка|marke|marque|marca|品牌|ブランド) ?$/u

export function namesGoods(text: string): boolean {
  let found = false
  goods.find(
    text,
    () => {
      found = true
      return false
    },
    { wholeWords: true },
  )
  return found
}

/**
 * A word that may be a brand is taken for it when it is written as a name (capital, or with a registration mark) and the
 * field speaks of goods, or when a word such as `by` announces it. Lower case never suffices: `gap between`, `guess how`.
 */
export function isMeant(n: Normalised, start: number, end: number, goodsNamed: boolean): boolean {
  const mark = n.source.charAt(n.ends[end - 1] ?? 0)
  if (mark === '®' || mark === '™') return true
  const first = n.source.charAt(n.starts[start] ?? 0)
  // Scripts without capitals have only the goods to go by.
  if (first === first.toLowerCase() && first !== first.toUpperCase()) return false
  return goodsNamed || ANNOUNCES.test(n.text.slice(Math.max(0, start - 16), start))
}
