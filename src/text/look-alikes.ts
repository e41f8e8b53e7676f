// Letters of other scripts, and Latin letters in fancy dress, that a reader takes for plain Latin ones.

/** Latin-script letters and symbols that always stand for their plain letter; those that Unicode does not decompose itself. */
// prettier-ignore
const DRESSED: readonly (readonly [string, string])[] = [
  ['ø', 'o'], ['ł', 'l'], ['đ', 'd'], ['ħ', 'h'], ['ŧ', 't'], ['ß', 'ss'], ['æ', 'ae'], ['œ', 'oe'], ['ı', 'i'],
  ['ȷ', 'j'], ['þ', 'th'], ['ð', 'd'], ['ŋ', 'n'], ['ƒ', 'f'], ['ƙ', 'k'], ['ɡ', 'g'], ['ɑ', 'a'], ['ɩ', 'i'],
  ['ɣ', 'y'], ['ς', 'σ'], ['ᴀ', 'a'], ['ʙ', 'b'], ['ᴄ', 'c'], ['ᴅ', 'd'], ['ᴇ', 'e'], ['ꜰ', 'f'], ['ɢ', 'g'],
  ['ʜ', 'h'], ['ɪ', 'i'], ['ᴊ', 'j'], ['ᴋ', 'k'], ['ʟ', 'l'], ['ᴍ', 'm'], ['ɴ', 'n'], ['ᴏ', 'o'], ['ᴘ', 'p'],
  ['ʀ', 'r'], ['ꜱ', 's'], ['ᴛ', 't'], ['ᴜ', 'u'], ['ᴠ', 'v'], ['ᴡ', 'w'], ['ʏ', 'y'], ['ᴢ', 'z'], ['ɐ', 'a'],
  ['ǝ', 'e'], ['ɔ', 'c'], ['ʌ', 'a'], ['ɛ', 'e'], ['ʋ', 'v'], ['ʍ', 'w'], ['ɯ', 'w'], ['ʁ', 'r'], ['ʇ', 't'],
  ['ɥ', 'h'],
]

/**
 * Letters of other scripts by the Latin letter that they look like, lower case (the normaliser lower-cases first).
 * Chosen after Unicode's confusables.txt (UTS 39), leaving out those that need a kind eye, and Greek mu and omega, which
 * honest units carry (50 μm, 10 kω).
 */
const FOREIGN: Readonly<Record<string, string>> = {
  a: 'аαꭺꓮ',
  b: 'вβᏼꮟꓐ',
  c: 'сϲꮯꓚ',
  d: 'ԁꭰꓓ',
  e: 'еёεꭼꓰ',
  f: 'ϝꓝ',
  g: 'ԍցꮐꓖ',
  h: 'нһհꮋꓧ',
  i: 'іїιӏꭵꭲꓲ',
  j: 'јϳꭻꓙ',
  k: 'кκꮶꓗ',
  l: 'ꮮꓡ',
  m: 'мꮇꓟ',
  n: 'пηոꓠ',
  o: 'оοօσꓳ',
  p: 'рρꮲꓑ',
  q: 'ԛզ',
  r: 'гꮢꭱꓣ',
  s: 'ѕꮪꓢ',
  t: 'тτꓔ',
  u: 'սυꓴ',
  v: 'ѵνꮩꓦ',
  w: 'ԝꮃꓪ',
  x: 'хχꓫ',
  y: 'уүγꓬ',
  z: 'ꮓꓜζ',
}

function foreignTable(): ReadonlyMap<number, number> {
  const table = new Map<number, number>()
  for (const [latin, letters] of Object.entries(FOREIGN)) {
    for (const letter of letters) table.set(letter.charCodeAt(0), latin.charCodeAt(0))
  }
  return table
}

/** Code unit of a letter of another script (lower case) to the code unit of the Latin letter that it looks like. */
export const FOREIGN_LOOK_ALIKES = foreignTable()

/** Those that look Latin in lower case as well: only a word of nothing else can be a Latin word in disguise. */
export const EXACT_LOOK_ALIKES: ReadonlySet<number> = new Set(
  Array.from('асеорхуіїјѕԁԛԝһӏѵοναρυιϲϳօոսհցꭺᏼꮯꭰꭼꮐꮋꭻꮶꮮꮇꮲꮢꮪꭲꮩꮃꮓꓐꓑꓓꓖꓗꓙꓚꓜꓝꓟꓠꓡꓢꓣꓦꓧꓪꓫꓬꓮꓰꓲꓳꓴꓔ', (c) => c.charCodeAt(0)),
)

/** One dressed letter to its plain form; undefined where the letter is what it seems. */
export const PLAIN_FORMS: ReadonlyMap<string, string> = new Map(DRESSED)

/** Digits and signs that stand for letters in names such as `Ro1ex` or `$upreme`; some stand for two. */
export const LETTERS_OF_SIGN: ReadonlyMap<string, string> = new Map([
  ['0', 'o'],
  ['1', 'li'],
  ['3', 'e'],
  ['4', 'a'],
  ['5', 's'],
  ['6', 'g'],
  ['7', 't'],
  ['8', 'b'],
  ['9', 'g'],
  ['@', 'a'],
  ['$', 's'],
  ['!', 'il'],
  ['|', 'li'],
  ['€', 'e'],
  ['£', 'l'],
  ['¢', 'c'],
  ['¥', 'y'],
])
