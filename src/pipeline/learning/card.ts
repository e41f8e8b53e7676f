// What a card says of a new version: the rows, and its figures on those held out beside the version that decides.
import { expectedText, type ModelCard } from '../../domain/model.ts'
import type { Policy } from '../../domain/policy.ts'
import type { Scorecard } from '../../domain/scorecard.ts'
import type { Boundary, Split } from '../../learning/split.ts'
import type { TrainingRow } from '../../learning/training-set.ts'
import { fuse } from '../../risk/fuse.ts'
import { aucDifference, aucOf } from './auc.ts'
import { compareModels, measure, type Standing } from './measure.ts'
import { byPlace, sidesOf } from './places.ts'
import { saidBy } from './said-by.ts'
import { isWorse, textByPlace } from './text-places.ts'
import type { MeasuredRow } from './weighted.ts'

/** A wording score from here on is open wording: the seller says so, if only in the description (models/fusion/1). */
const OVERT = 0.68

interface Contestant {
  readonly scorecard: Scorecard
  readonly rows: readonly TrainingRow[]
}

interface Contest {
  readonly candidate: Contestant
  readonly champion: Contestant
  readonly thresholds: Policy['thresholds']
  /** The false-positive rate at which both are told besides; default: the cards'. */
  readonly maxFpr?: number | undefined
}

/** Two fusions on the same rows in the same order, each as it hears them. */
export function sideBySide({ candidate, champion, thresholds, maxFpr }: Contest) {
  const rowsOf = ({ scorecard, rows }: Contestant) => rows.map((row) => measuredRow(row, scorecard))
  const [mine, theirs] = [rowsOf(candidate), rowsOf(champion)]
  const comparison = compareModels(mine, theirs, thresholds)
  const places = byPlace(candidate.rows, { candidate: mine, champion: theirs }, thresholds)
  const worse: Standing | undefined = places.some(({ honest }) => honest.hold.more || honest.block.more)
    ? 'worse'
    : undefined
  return {
    candidate: measure(mine, thresholds, maxFpr),
    champion: measure(theirs, thresholds, maxFpr),
    comparison: { ...comparison, standing: worse ?? comparison.standing, places },
  }
}

/** What a version had seen, so that it can be told later what it had not (`unlearnt`). */
export interface Seen {
  readonly boundary: Boundary
  readonly seen: string
}

/** How words on both sides of the boundary were kept apart; cards that do not say so were made before they were. */
export const WORDS_DRAWN = 'drawn'

export function judge({ learn, heldOut, boundary, seen }: Pick<Split, 'learn' | 'heldOut'> & Seen, contest: Contest) {
  const { candidate, champion, comparison } = sideBySide(contest)
  return {
    learntFrom: { ...sideOf(learn), saidBy: saidBy(learn), places: sidesOf(learn) },
    heldOut: { ...sideOf(heldOut), ...boundary, seen, words: WORDS_DRAWN },
    thresholds: contest.thresholds,
    candidate,
    champion: { version: contest.champion.scorecard.version, ...champion },
    comparison,
  } satisfies ModelCard['measured']
}

const isOvert = ({ signals }: Pick<TrainingRow, 'signals'>): boolean =>
  signals.some((signal) => signal.name === 'wording' && (signal.score ?? 0) >= OVERT)

/** A row as a scorecard sees it. */
function measuredRow(row: TrainingRow, scorecard: Scorecard): MeasuredRow {
  const { sellerId, weight, signals, marketplace } = row
  return {
    positive: row.label === 'confirmed',
    overt: isOvert(row),
    sellerId,
    weight,
    risk: fuse(scorecard, signals, marketplace).risk,
  }
}

type TextRow = TrainingRow & { readonly candidate: number | undefined; readonly champion: number | undefined }

/** The text model by itself: both on the rows that both scored; a champion that abstained has nothing to be compared with. */
export function textFigures(rows: readonly TextRow[], about: Partial<Seen> & { readonly champion: string | null }) {
  const scored = rows.filter((row) => row.candidate !== undefined)
  const both = scored.filter((row) => row.champion !== undefined)
  const rowOf = (row: TextRow, risk: number | undefined): MeasuredRow & { place: string } => ({
    positive: row.label === 'confirmed',
    overt: isOvert(row),
    sellerId: row.sellerId,
    weight: 1,
    risk: risk ?? 0,
    place: row.marketplace ?? '',
  })
  const mine = scored.map((row) => rowOf(row, row.candidate))
  const places = textByPlace(
    scored.map((row, i) => ({
      row,
      candidate: mine[i] ?? rowOf(row, row.candidate),
      champion: row.champion === undefined ? undefined : rowOf(row, row.champion),
    })),
  )
  const auc = aucOf(mine)
  const paired = {
    candidate: both.map((row) => rowOf(row, row.candidate)),
    champion: both.map((row) => rowOf(row, row.champion)),
  }
  const difference = aucDifference(paired.candidate, paired.champion)
  // As of a fusion: better only beyond chance, worse however little, and on each marketplace.
  const standing: Standing =
    (auc !== undefined && auc.value < 0.5) || places.some(isWorse)
      ? 'worse'
      : difference === undefined
        ? 'not compared'
        : difference.value < 0
          ? 'worse'
          : difference.low > 0
            ? 'better'
            : 'even'
  return {
    heldOut: {
      ...sideOf(rows),
      ...about.boundary,
      ...(about.seen === undefined ? {} : { seen: about.seen, words: WORDS_DRAWN }),
      scored: scored.length,
      auc: auc?.value ?? null,
      within: auc === undefined ? null : { low: auc.low, high: auc.high },
      // The confirmed of each kind beside all the rejected.
      overt: aucOf(mine.filter((row) => !row.positive || row.overt)) ?? null,
      silent: aucOf(mine.filter((row) => !row.positive || !row.overt)) ?? null,
    },
    champion: { version: about.champion, scored: both.length, auc: aucOf(paired.champion)?.value ?? null },
    comparison: {
      on: both.length,
      auc: aucOf(paired.candidate)?.value ?? null,
      aucDifference: difference ?? null,
      standing,
    },
    places,
  } satisfies ModelCard['measured']
}

/** Why a fusion does not belong beside the text model that decides. */
export function misfit(card: ModelCard, text: string | undefined): string | undefined {
  const expects = expectedText(card)
  if (expects === undefined || expects === text) return undefined
  return `it was fitted to the text model ${expects}, and ${text ?? 'none'} would be active`
}

const sideOf = (rows: readonly TrainingRow[]) => ({
  rows: rows.length,
  confirmed: rows.filter((row) => row.label === 'confirmed').length,
  rejected: rows.filter((row) => row.label === 'rejected').length,
  drawn: rows.filter((row) => row.drawn).length,
  sellers: new Set(rows.map((row) => row.sellerId)).size,
  first: rows[0]?.at ?? null,
  last: rows.at(-1)?.at ?? null,
})
