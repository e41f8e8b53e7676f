// Listings that show what the price detector says, tricky honest ones among them; they are its contract tests.
import type { SignalExample } from '../signal.ts'

const usd = (amount: number) => ({ price: { amount, currency: 'USD' } })
const farBelow = { state: 'scored', min: 0.6, reasons: ['price-far-below-brand'] } as const
const unremarkable = { state: 'scored', max: 0.3, reasons: [] } as const
const silent = { state: 'abstained' } as const

export const examples: readonly SignalExample[] = [
  {
    name: 'a new luxury bag for the price of a pizza',
    listing: { title: 'Louis Vuitton handbag', condition: 'new', ...usd(28) },
    expect: { ...farBelow, min: 0.95 },
  },
  { name: 'a watch for a hundredth', listing: { title: 'Rolex Submariner watch', ...usd(150) }, expect: farBelow },
  {
    name: 'a lot: what counts is the price of one piece',
    listing: { title: 'Gucci handbag, lot of 50', condition: 'new', lotSize: 50, ...usd(1500) },
    expect: farBelow,
  },
  {
    name: 'another currency',
    listing: { title: 'Chanel handbag', condition: 'new', price: { amount: 300, currency: 'CNY' } },
    expect: farBelow,
  },
  {
    name: 'the usual price',
    listing: { title: 'Gucci handbag', condition: 'new', ...usd(2400) },
    expect: { ...unremarkable, max: 0.1 },
  },
  {
    name: 'dear, which proves little',
    listing: { title: 'Nike Dunk Low shoes', condition: 'new', ...usd(900) },
    expect: { ...unremarkable, max: 0.1 },
  },
  {
    name: 'worn sports shoes are cheap',
    listing: { title: 'Nike running shoes', condition: 'used', ...usd(15) },
    expect: unremarkable,
  },
  {
    name: 'a used luxury perfume',
    listing: { title: 'Chanel eau de parfum 50 ml, half full', condition: 'used', ...usd(25) },
    expect: unremarkable,
  },
  {
    name: 'a card holder is no handbag',
    listing: { title: 'Gucci card holder', condition: 'used', ...usd(60) },
    expect: unremarkable,
  },
  { name: 'a lipstick', listing: { title: 'Dior lipstick', condition: 'new', ...usd(30) }, expect: unremarkable },
  { name: 'a box is no watch', listing: { title: 'Rolex watch box', ...usd(40) }, expect: silent },
  { name: 'a strap is no watch', listing: { title: 'Strap for Omega watch', ...usd(20) }, expect: silent },
  { name: 'a case for a phone', listing: { title: 'Silicone case for Apple iPhone 15', ...usd(6) }, expect: silent },
  { name: 'no brand', listing: { title: 'Leather handbag', ...usd(5) }, expect: silent },
  { name: 'no price', listing: { title: 'Rolex Submariner watch' }, expect: silent },
  {
    name: 'a price of nothing is a placeholder',
    listing: { title: 'Rolex Submariner watch', ...usd(0) },
    expect: silent,
  },
  { name: 'a kind that there is no band for', listing: { title: 'Rolex umbrella', ...usd(30) }, expect: silent },
  {
    name: 'a currency without a rate',
    listing: { title: 'Rolex Submariner watch', price: { amount: 100, currency: 'XSU' } },
    expect: { state: 'failed' },
  },
]
