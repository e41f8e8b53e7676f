// Listings that show what the wording detector says, tricky honest ones among them; they are its contract tests.
import type { SignalExample } from '../signal.ts'

const said = { state: 'scored', min: 0.8, reasons: ['wording-of-imitations'] } as const
const silent = { state: 'abstained' } as const

export const examples: readonly SignalExample[] = [
  // What it is for.
  { name: 'says it openly', listing: { title: 'Rolex Submariner replica, automatic' }, expect: said },
  { name: 'a grade of imitation', listing: { title: 'Hublot Big Bang AAA+ ceramic' }, expect: said },
  { name: 'trade talk', listing: { title: 'Nike Dunk Low 1:1 quality' }, expect: said },
  { name: 'an Indian euphemism', listing: { title: 'Casio G-Shock first copy' }, expect: said },
  { name: 'Chinese', listing: { title: '高仿 Gucci 包包' }, expect: said },
  { name: 'Japanese', listing: { title: 'ルイヴィトン Louis Vuitton スーパーコピー 財布' }, expect: said },
  { name: 'Russian', listing: { title: 'Кроссовки Nike реплика люкс' }, expect: said },
  { name: 'German', listing: { title: 'Rolex Replika Automatik' }, expect: said },
  { name: 'letters changed for digits', listing: { title: 'Chanel bag rep1ica' }, expect: said },
  {
    name: 'only in the description',
    listing: { title: 'Louis Vuitton Neverfull', description: 'Beautiful bag. Mirror quality, nobody will know.' },
    expect: { state: 'scored', min: 0.6, reasons: ['wording-of-imitations'] },
  },
  {
    name: 'two phrases say more than one',
    listing: { title: 'Omega Seamaster super clone, AAA quality' },
    expect: { state: 'scored', min: 0.95 },
  },
  {
    name: 'trade talk beside a brand',
    listing: { title: 'Chanel dupe shoulder bag' },
    expect: { state: 'scored', min: 0.5, max: 0.7 },
  },
  {
    name: 'no brand, no more than a hint',
    listing: { title: 'Replica designer handbag, AAA quality' },
    expect: { state: 'scored', max: 0.3, reasons: [] },
  },
  {
    name: 'a brand whose name is also a word',
    listing: { title: 'knock-off Beats studio' },
    expect: { state: 'scored', min: 0.55, max: 0.95 },
  },
  // Nothing said.
  { name: 'an ordinary listing', listing: { title: 'Nike Air Max 90, size 43, used' }, expect: silent },
  { name: 'no text to speak of', listing: { title: '.' }, expect: silent },
  // Denials.
  { name: 'not a replica', listing: { title: 'Rolex Datejust 1984, not a replica' }, expect: silent },
  {
    name: 'a denial in the description',
    listing: {
      title: 'Gucci Marmont bag',
      description: '100% authentic, no replica, no fakes or copies. I hate fakes!',
    },
    expect: silent,
  },
  {
    name: 'a list of denials',
    listing: { title: 'Coach purse', description: 'We never sell replicas, fakes or knockoffs.' },
    expect: silent,
  },
  {
    name: 'a warning',
    listing: { title: 'Supreme box logo hoodie', description: 'Beware of fakes, there are many fakes out there.' },
    expect: silent,
  },
  {
    name: 'a promise',
    listing: { title: 'Dior saddle bag', description: 'Money back if counterfeit or not authentic.' },
    expect: silent,
  },
  {
    name: 'a Chinese promise',
    listing: { title: 'Nike 运动鞋 正品', description: '假一赔十 拒绝高仿' },
    expect: silent,
  },
  { name: 'a Russian denial', listing: { title: 'Кроссовки Adidas, не реплика' }, expect: silent },
  // Honest meanings.
  { name: 'a line of Margiela', listing: { title: 'Maison Margiela Replica sneakers' }, expect: silent },
  {
    name: 'a perfume of that line',
    listing: { title: 'Maison Margiela Replica By the Fireplace 100 ml' },
    expect: silent,
  },
  { name: 'fan wear', listing: { title: 'Adidas Manchester United replica jersey 2023' }, expect: silent },
  { name: 'batteries', listing: { title: 'Sony remote control with 2 AAA batteries' }, expect: silent },
  { name: 'pearls', listing: { title: 'Tiffany necklace with AAA quality pearls' }, expect: silent },
  { name: 'a lens', listing: { title: 'Canon EF 100mm macro lens 1:1 magnification' }, expect: silent },
  { name: 'a model car', listing: { title: 'Ferrari F40 replica 1:18 diecast' }, expect: silent },
  { name: 'a film prop', listing: { title: 'LEGO Star Wars lightsaber prop replica' }, expect: silent },
  { name: 'Under Armour', listing: { title: 'Under Armour UA Charged running shoes' }, expect: silent },
  { name: 'fake fur', listing: { title: 'Zara fake fur coat' }, expect: silent },
  {
    name: 'fake pockets',
    listing: { title: 'Prada trousers', description: 'Prada trousers with fake pockets.' },
    expect: silent,
  },
  { name: 'a mirror', listing: { title: 'Oakley sunglasses mirror lens' }, expect: silent },
  { name: 'a first edition', listing: { title: 'Nike: Shoe Dog, first copy signed book' }, expect: silent },
  { name: 'sales people and a label', listing: { title: 'Reps NY t-shirt' }, expect: silent },
  { name: 'a bootleg band tee', listing: { title: 'Vintage Metallica bootleg band tee' }, expect: silent },
  {
    name: 'shipping that is free denies nothing',
    listing: { title: 'Rolex replica free shipping' },
    expect: { state: 'scored', min: 0.8 },
  },
  {
    name: 'what is missing is the box',
    listing: { title: 'Rolex without box AAA+' },
    expect: { state: 'scored', min: 0.8 },
  },
  {
    name: 'sapphire is the crystal of a watch, not a graded stone',
    listing: { title: 'Rolex Submariner AAA+ sapphire crystal' },
    expect: { state: 'scored', min: 0.8 },
  },
  {
    name: 'a fake of a brand, in leather, is no fake leather',
    listing: { title: 'Fake Gucci leather bag' },
    expect: { state: 'scored', min: 0.5 },
  },
]
