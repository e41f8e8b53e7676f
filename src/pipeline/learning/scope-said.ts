// On which marketplaces a fusion decides, and what does elsewhere, in words: for its card and for whoever promotes it.
import { z } from 'zod'
import type { ModelCard } from '../../domain/model.ts'
import { placeSchema } from '../../domain/place.ts'
import { partAt, type Scorecard } from '../../domain/scorecard.ts'
import { nameOf } from './places.ts'

type Scope = NonNullable<Scorecard['scope']>
type Place = string | null

const marketplaces = z.array(placeSchema)
const scopeSchema = z.object({
  marketplaces,
  earlier: z.array(z.object({ version: z.string(), marketplaces })),
  elsewhere: z.object({ version: z.string() }),
})
type Said = z.infer<typeof scopeSchema>

/** As a card keeps it: versions without their ratios. */
export const scopeSaid = (scope: Scope): Said => scopeSchema.parse(scope)

const scopeOf = (card: ModelCard): Said | undefined => scopeSchema.safeParse(card['scope']).data

const namesOf = (places: readonly Place[]): string => places.map(nameOf).join(', ')

/** Undefined for one that decides everywhere, as those do that ship or were made before there was a scope. */
export function scopeLine(card: ModelCard): string | undefined {
  const scope = scopeOf(card)
  if (scope === undefined) return undefined
  const earlier = scope.earlier.map((one) => `version ${one.version} on ${namesOf(one.marketplaces)}`)
  const others = [...earlier, `version ${scope.elsewhere.version} on all others`].join(', ')
  return `It decides on ${namesOf(scope.marketplaces)}; of others it has learnt too little, and what decided there goes on: ${others}`
}

interface Known {
  readonly version: string
  readonly scope: Said | undefined
}

/** `undefined`: on a marketplace of which nobody has learnt. */
const versionAt = (known: Known, place: Place | undefined): string =>
  (place === undefined ? (known.scope?.elsewhere ?? known) : partAt<Pick<Known, 'version'>>(known, place)).version

const placesOf = ({ scope }: Known): Place[] =>
  scope === undefined ? [] : [...scope.marketplaces, ...scope.earlier.flatMap((one) => one.marketplaces)]

/**
 * What a version changes where it has not learnt itself: that happens where it was trained beside another one than `deciding`
 * (undefined: what ships, `shipped`), or was made before versions kept to where they learnt.
 */
export function changedElsewhere(card: ModelCard, deciding: ModelCard | undefined, shipped: string): string[] {
  const then: Known = { version: card.version, scope: scopeOf(card) }
  const now: Known = {
    version: deciding?.version ?? shipped,
    scope: deciding === undefined ? undefined : scopeOf(deciding),
  }
  // One that was set by hand is meant for all; of itself a version changes nothing.
  if (then.version === now.version || (then.scope === undefined && card.trained.rows === 0)) return []
  if (then.scope === undefined)
    return [
      `fusion ${card.version} was made before versions kept to where they learnt: it decides on every marketplace, also on those of which it knows nothing. A training makes one that does not`,
    ]
  const own = then.scope.marketplaces
  const found = [...new Set([...placesOf(now), ...placesOf(then)])]
    .filter((place) => !own.includes(place))
    .map((place) => ({ who: nameOf(place), from: versionAt(now, place), to: versionAt(then, place) }))
  found.push({
    who: 'listings of all other marketplaces',
    from: versionAt(now, undefined),
    to: versionAt(then, undefined),
  })
  const changes = found.filter(({ from, to }) => from !== to).map(({ who, from, to }) => `${who} from ${from} to ${to}`)
  if (changes.length === 0) return []
  return [
    `fusion ${card.version} was trained beside another version than the one that decides, and changes who decides where it learnt nothing: ${changes.join(', ')}. A training beside what decides makes one that does not`,
  ]
}
