// Listings that show what the text model says, with the version that ships; they are its contract tests.
import type { SignalExample } from '../signal.ts'

const silent = { state: 'abstained' } as const
const demo = { marketplace: 'demo' } as const

export const examples: readonly SignalExample[] = [
  {
    name: 'words of open imitations on the marketplace it knows',
    listing: {
      ...demo,
      title: 'Rolex diver AAA replica, high quality replica 1:1',
      description: 'Top copy, not original.',
    },
    expect: { state: 'scored', min: 0.9, reasons: ['text-like-confirmed'] },
  },
  {
    name: 'trade talk that admits nothing',
    listing: {
      ...demo,
      title: 'Gucci tote best batch factory direct',
      description: 'QC pictures before we ship. Message us for the catalogue.',
    },
    expect: { state: 'scored', min: 0.8, reasons: ['text-like-confirmed'] },
  },
  {
    name: 'somebody clears out a wardrobe',
    listing: {
      ...demo,
      title: 'Coach tote, bought in store, with receipt',
      description: 'A gift that does not fit me.',
    },
    expect: { state: 'scored', max: 0.3, reasons: [] },
  },
  {
    name: 'a denial, known from honest sellers',
    listing: { ...demo, title: 'Seiko diver, not a replica', description: 'The receipt proves it. I hate fakes.' },
    expect: { state: 'scored', max: 0.7, reasons: [] },
  },
  {
    name: 'a line of Margiela',
    listing: { ...demo, title: 'Maison Margiela Replica sneakers' },
    expect: { state: 'scored', max: 0.75, reasons: [] },
  },
  {
    name: 'a bootleg band tee',
    listing: { ...demo, title: 'Metallica bootleg band tee, 90s tour' },
    expect: { state: 'scored', max: 0.75, reasons: [] },
  },
  { name: 'another marketplace', listing: { marketplace: 'elsewhere', title: 'Rolex AAA replica' }, expect: silent },
  { name: 'no marketplace named', listing: { title: 'Rolex AAA replica' }, expect: silent },
]
