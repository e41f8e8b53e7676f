// Where a fitted fusion decides: on the marketplaces of which it learnt enough. Elsewhere what decided there goes on.
import { createHash } from 'node:crypto'
import type { Scorecard } from '../domain/scorecard.ts'
import { TouchstoneError } from '../errors.ts'
import { LEAST } from './split.ts'
import { compare } from './training-set.ts'

type Scope = NonNullable<Scorecard['scope']>
type Place = Scope['marketplaces'][number]
type Prior = Scorecard['prior']

const inOrder = (a: Place, b: Place): number => compare(JSON.stringify(a), JSON.stringify(b))

/**
 * The fitted scorecard with base and ratios of its own where at least `LEAST.learn` of `rows`, those that it learnt from,
 * are; everywhere else with those of `champion`, the version that decides, which it carries in itself. Of what went before
 * the champion only the last that learnt of a marketplace is kept, and what decides where none did: there are never more
 * parts than marketplaces, and one. The version is the hash of the content.
 *
 * @throws TouchstoneError `labels-missing` where no marketplace has so many: it would decide nowhere.
 */
export function scoped(
  fitted: Scorecard,
  rows: readonly { readonly marketplace: string | null }[],
  champion: Scorecard,
): Scorecard {
  const marketplaces = [...Map.groupBy(rows, (row) => row.marketplace)]
    .filter(([, own]) => own.length >= LEAST.learn)
    .map(([place]) => place)
    .toSorted(inOrder)
  if (marketplaces.length === 0)
    throw new TouchstoneError(
      'labels-missing',
      `no marketplace has ${LEAST.learn} listings to learn from, and a fusion decides only on those that have`,
    )
  const { version: _, ...content } = {
    ...fitted,
    prior: priorOf(fitted.prior, champion.prior, marketplaces),
    scope: { marketplaces, ...before(champion, marketplaces) },
  }
  const version = `v${createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 12)}`
  return { ...content, version }
}

function before({ version, signals, scope }: Scorecard, learnt: readonly Place[]): Omit<Scope, 'marketplaces'> {
  if (scope === undefined) return { earlier: [], elsewhere: { version, signals } }
  const parts = [{ version, marketplaces: scope.marketplaces, signals }, ...scope.earlier]
  const earlier = parts
    .map((part) => ({ ...part, marketplaces: part.marketplaces.filter((place) => !learnt.includes(place)) }))
    .filter((part) => part.marketplaces.length > 0)
  return { earlier, elsewhere: scope.elsewhere }
}

/** Its own bases where it learnt, the champion's elsewhere, as one list. */
function priorOf(own: Prior, champion: Prior, learnt: readonly Place[]): Prior {
  const same = own.probability === champion.probability
  const { probability, source } = same ? own : champion
  const places = [
    // Where what ships has changed since, a place without a base of its own begins at another share than the others.
    ...learnt.flatMap((marketplace) => {
      const base = own.marketplaces?.find((one) => one.marketplace === marketplace)
      if (base === undefined && same) return []
      return [base ?? { marketplace, probability: own.probability, source: own.source }]
    }),
    ...(champion.marketplaces ?? []).filter(({ marketplace }) => !learnt.includes(marketplace)),
  ].toSorted((a, b) => inOrder(a.marketplace, b.marketplace))
  return { probability, source, ...(places.length === 0 ? {} : { marketplaces: places }) }
}
