// Brands of one house, sold under each other's names: a brand field that says Nike contradicts no Jordan.
const HOUSES: readonly (readonly string[])[] = [
  ['nike', 'jordan', 'converse'],
  ['adidas', 'yeezy', 'reebok', 'y-3'],
  ['armani', 'emporio-armani'],
  ['fear-of-god', 'fear-of-god-essentials'],
  ['apple', 'beats'],
  ['disney', 'marvel', 'star-wars'],
  ['nintendo', 'pokemon'],
  ['google', 'google-pixel'],
  ['symantec', 'norton-antivirus', 'norton'],
  ['casio', 'g-shock'],
  ['braun', 'gillette', 'oral-b', 'procter-and-gamble'],
  ['fossil', 'skagen', 'michael-kors', 'emporio-armani', 'diesel', 'dkny'],
  ['luxottica', 'ray-ban', 'oakley', 'persol'],
  ['asus', 'nvidia', 'amd-ryzen', 'intel'],
]

const houseOf = new Map<string, Set<string>>()
for (const house of HOUSES) {
  for (const brandId of house) houseOf.set(brandId, new Set([...(houseOf.get(brandId) ?? []), ...house]))
}

/** Whether goods of one may honestly carry the other's name in the brand field. */
export function sameHouse(a: string, b: string): boolean {
  return a === b || houseOf.get(a)?.has(b) === true
}
