// Listings that show what the brand detector says, tricky honest ones first; they are its contract tests.
import type { SignalExample } from '../signal.ts'

const plain = { state: 'scored', max: 0.25, reasons: [] } as const
const hidden = { state: 'scored', min: 0.85, reasons: ['brand-name-altered'] } as const

export const examples: readonly SignalExample[] = [
  { name: 'no brand at all', listing: { title: 'Handmade leather tote bag, brown' }, expect: { state: 'abstained' } },
  {
    name: 'a word that is also a brand',
    listing: { title: 'Guess how many sweets are in the jar' },
    expect: { state: 'abstained' },
  },
  {
    name: 'a gap, not the shop',
    listing: { title: 'Foam strip for the gap between window and frame' },
    expect: { state: 'abstained' },
  },
  {
    name: 'a boss that is a pedal',
    listing: { title: 'Boss GT-100 guitar effects pedal' },
    expect: { state: 'abstained' },
  },
  {
    name: 'letters that are units',
    listing: { title: 'i n c h ruler, 5 g weights, L.A. made' },
    expect: { state: 'abstained' },
  },
  {
    name: 'goods that fit a device',
    listing: { title: 'Silicone case for iPhone 15 Pro' },
    expect: { state: 'scored', max: 0.05, reasons: [] },
  },
  {
    name: 'denied to be the brand',
    listing: { title: 'Plain white trainers, not Nike' },
    expect: { state: 'scored', max: 0.05, reasons: [] },
  },
  { name: 'the brand as it is', listing: { title: 'Nike Air Max 90, size 42', brand: 'Nike' }, expect: plain },
  { name: 'two names of one house', listing: { title: 'Air Jordan 1 Mid', brand: 'Nike' }, expect: plain },
  { name: 'a star for a blank', listing: { title: 'CALVIN★KLEIN boxers' }, expect: plain },
  { name: 'an accent left out', listing: { title: 'Hermes silk scarf 90 cm', brand: 'Hermès' }, expect: plain },
  { name: 'full-width letters are usual in Japan', listing: { title: 'ＧＵＣＣＩ バッグ' }, expect: plain },
  { name: 'a star beside the name', listing: { title: '★Gucci★ belt' }, expect: plain },
  { name: 'signs in place of letters', listing: { title: 'N⭐K⭐ trainers, all sizes' }, expect: hidden },
  { name: 'a slash inside', listing: { title: 'PR//ADA nylon bag' }, expect: hidden },
  { name: 'stars inside', listing: { title: 'Ca*har*t beanie' }, expect: hidden },
  { name: 'an abbreviation with a star', listing: { title: 'L*V wallet' }, expect: hidden },
  { name: 'letters apart', listing: { title: 'g u c c i belt black' }, expect: hidden },
  { name: 'dots between', listing: { title: 'G.U.C.C.I belt black' }, expect: hidden },
  { name: 'mathematical letters', listing: { title: '𝗖𝗵𝗮𝗻𝗲𝗹 flap bag' }, expect: hidden },
  { name: 'letters of another alphabet', listing: { title: 'РRАDА bag' }, expect: hidden },
  { name: 'digits for letters', listing: { title: 'L0UIS VUITT0N wallet and Ro1ex watch' }, expect: hidden },
  { name: 'a sign inside a Chinese name', listing: { title: '香*儿 包包' }, expect: hidden },
  {
    name: 'another brand claimed than named',
    listing: { title: 'Gucci leather belt', brand: 'Adidas' },
    expect: { state: 'scored', min: 0.35, max: 0.5, reasons: ['brand-contradiction'] },
  },
]
