// The listings that the measurements send: the same ones in every run, about as long as a marketplace's.
import { listingSubmitted } from '../../src/events/index.ts'
import { encodeEvent } from '../../src/events/wire.ts'

// Linear congruential (Numerical Recipes): the same listings in every run.
let seed = 1
const pick = <T>(list: readonly T[]): T => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return list[seed % list.length] as T
}
const BRANDS = [
  'Nike',
  'Rolex',
  'Gucci',
  'Canon',
  'Sony',
  'Chanel',
  'Levi’s',
  'IKEA',
  'unbranded',
  'Zara',
  'L*V',
  'Adidas',
] as const
const GOODS = [
  'running shoes',
  'automatic watch',
  'shoulder bag',
  'camera lens',
  'wireless headphones',
  'denim jacket',
  'silk scarf',
] as const
const NOTES = [
  'as new',
  'worn twice',
  'with original box',
  'size 42',
  'vintage',
  'limited edition',
  'mirror quality',
  'from a smoke-free home',
] as const
const SENTENCES = [
  'Bought last year and hardly used since.',
  'Please look at the pictures, they are part of the description.',
  'Shipping within two working days, tracked.',
  'Measurements lying flat: 54 cm across, 71 cm long.',
  'No returns unless the article differs from its description.',
] as const

export interface MadeListing {
  readonly key: Buffer
  readonly value: Buffer
  readonly headers: Record<string, Buffer>
  /** Characters of title and description. */
  readonly textLength: number
}

/** A listing as an event in binary mode, ready for a log. */
export function makeListing(id: string): MadeListing {
  const title = `${pick(BRANDS)} ${pick(GOODS)} ${pick(NOTES)} ${pick(NOTES)}`
  const description = Array.from({ length: 6 }, () => pick(SENTENCES)).join(' ')
  const listing = {
    listingId: id,
    revision: 1,
    sellerId: `S-${seed % 997}`,
    title,
    description,
    condition: pick(['new', 'used'] as const),
    price: { amount: 10 + (seed % 2_000), currency: 'USD' },
  }
  const { value, headers } = encodeEvent(listingSubmitted, listing, {
    id,
    source: 'urn:bench',
    time: new Date().toISOString(),
    subject: id,
  })
  return {
    key: Buffer.from(id),
    value: Buffer.from(value),
    headers: Object.fromEntries(Object.entries(headers).map(([name, bytes]) => [name, Buffer.from(bytes)])),
    textLength: title.length + description.length,
  }
}
