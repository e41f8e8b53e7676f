// Words that goods are openly or half openly offered as imitations with, read in the light of what stands around them.
import type { Brand } from '../../domain/brand.ts'
import type { Listing } from '../../domain/listing.ts'
import type { Span } from '../../domain/signal-result.ts'
import { spanOf, type Normalised } from '../../text/normalise.ts'
import type { Mention } from '../../text/mention.ts'
import type { Reading } from '../../text/reading.ts'
import type { Finding, Signal, SignalContext } from '../signal.ts'
import { examples } from './examples.ts'
import { findPhrases, type Hit } from './find.ts'
import { lexicon, type Grade, type Phrase } from './phrases.ts'

/** What one phrase is worth where a brand is named; several senses add up as independent doubts do: 1 − Π(1 − worth). */
const WORTH: Readonly<Record<Grade, number>> = { overt: 0.85, strong: 0.6, hint: 0.25 }

/** Descriptions talk about other things as well: returns, other sellers, what the goods are compared with. */
const FIELD_WEIGHT: Readonly<Record<Span['field'], number>> = { title: 1, brand: 1, description: 0.8 }

/** Without a brand there is nothing to copy: even the plainest word is no more than a hint. */
const WITHOUT_BRAND = 0.25
const MOST_WITHOUT_BRAND = 0.3

/** A much-copied name that is also a word (Beats, Golden Goose) is probably the brand where open wording stands with it. */
const DOUBTFUL_BRAND = 0.72

/** Characters between a phrase that counts only beside a brand, and that brand: "fake Rolex", "Gucci style dupe". */
const NEAR = 18
/** In a description the brand may be named a sentence away. */
const SAME_PASSAGE = 120

const MOST_EVIDENCE = 20
const WORTH_A_REASON = 0.5

interface Said {
  readonly phrase: Phrase
  readonly field: Span['field']
  readonly span: Span
  readonly hit: Hit
  readonly brand: 'named' | 'doubtful' | 'none'
}

const distance = (span: Span, other: Span): number => Math.max(span.start - other.end, other.start - span.end, 0)

function evaluate(_listing: Listing, { reading, brand }: SignalContext): Finding {
  const named = reading.mentions.filter((m) => !m.uncertain)
  const doubtful = reading.mentions.filter((m) => m.uncertain && brand(m.brandId)?.copied === 'most')
  const namedUpFront = isUpFront(named)
  const doubtfulUpFront = isUpFront(doubtful)
  const muchCopied = named.some(
    (m) => m.span.field !== 'description' && m.use === 'names' && isDressing(brand(m.brandId)),
  )
  const said: Said[] = []
  let excuses = 0
  for (const [field, text] of fieldsOf(reading)) {
    const toNamed = byPlace(named, field)
    const toDoubtful = byPlace(doubtful, field)
    const settled = new Set<Phrase>()
    const around = { parted: parted(text, field, named), muchCopied }
    for (const hit of findPhrases(text, reading.brandIds, around)) {
      // Said beside a brand once, a phrase weighs all that it can here; a text full of it costs no more.
      if (settled.has(hit.phrase)) continue
      if (hit.excused !== undefined && ++excuses > MOST_EVIDENCE) continue
      const span = spanOf(text, field, hit.start, hit.end)
      const gap = toNamed(span)
      if (hit.phrase.near && gap > NEAR) continue
      const isNamed = namedUpFront || gap <= SAME_PASSAGE
      const isDoubtful = hit.phrase.grade === 'overt' && (doubtfulUpFront || toDoubtful(span) <= SAME_PASSAGE)
      if (isNamed && hit.excused === undefined) settled.add(hit.phrase)
      said.push({ phrase: hit.phrase, field, span, hit, brand: isNamed ? 'named' : isDoubtful ? 'doubtful' : 'none' })
    }
  }
  if (said.length === 0) return { state: 'abstained', evidence: {} }

  const excused = said
    .filter((s) => s.hit.excused !== undefined)
    .map((s) => ({ phrase: nameOf(s.phrase), why: s.hit.excused ?? '', span: { ...s.span } }))
  const counted = said.filter((s) => s.hit.excused === undefined)
  if (counted.length === 0) return { state: 'abstained', evidence: { excused } }

  const score = scoreOf(counted)
  return {
    state: 'scored',
    score,
    reasons:
      score >= WORTH_A_REASON
        ? [
            {
              code: 'wording-of-imitations',
              text: 'The text uses words that imitations of branded goods are described with.',
            },
          ]
        : [],
    evidence: {
      phrases: counted.slice(0, MOST_EVIDENCE).map((s) => ({
        phrase: nameOf(s.phrase),
        grade: s.phrase.grade,
        language: s.phrase.language,
        brand: s.brand,
        source: lexicon.sources[s.phrase.source] ?? '',
        span: { ...s.span },
      })),
      ...(excused.length > 0 ? { excused } : {}),
    },
  }
}

function fieldsOf(reading: Reading): [Span['field'], Normalised][] {
  return [
    ['title', reading.title],
    ['brand', reading.brand],
    ['description', reading.description],
  ]
}

const isUpFront = (mentions: readonly Mention[]): boolean => mentions.some((m) => m.span.field !== 'description')

/** Distance from a span to the nearest mention in its field, for spans asked in rising order; Infinity where there is none. */
function byPlace(mentions: readonly Mention[], field: Span['field']): (span: Span) => number {
  const places = mentions
    .map((m) => m.span)
    .filter((place) => place.field === field)
    .toSorted((a, b) => a.start - b.start)
  let at = 0
  return (span) => {
    while (at + 1 < places.length && (places[at + 1]?.start ?? 0) <= span.start) at += 1
    const around = [places[at - 1], places[at], places[at + 1]].filter((p) => p !== undefined)
    return Math.min(Infinity, ...around.map((p) => distance(span, p)))
  }
}

/** What much-copied makers make that no prop, model, ball or kit is. */
const DRESSING: ReadonlySet<string> = new Set(['bag', 'small-leather', 'watch', 'eyewear', 'belt'])

const isDressing = (brand: Brand | undefined): boolean =>
  brand?.copied === 'most' && brand.classes.some((c) => DRESSING.has(c))

/** Whether a brand is named between two places of the normalised text. */
function parted(text: Normalised, field: Span['field'], mentions: readonly Mention[]) {
  const places = mentions.filter((m) => m.span.field === field).map((m) => m.span)
  return (from: number, to: number): boolean => {
    if (places.length === 0 || to <= from) return false
    const { start, end } = spanOf(text, field, from, to)
    return places.some((place) => place.start >= start && place.end <= end)
  }
}

const nameOf = (phrase: Phrase): string => phrase.forms[0] ?? ''

const BRAND_WEIGHT: Readonly<Record<Said['brand'], number>> = {
  named: 1,
  doubtful: DOUBTFUL_BRAND,
  none: WITHOUT_BRAND,
}

/** Words of one sense count once, where they weigh most: saying it again, or in other words, adds nothing. */
function scoreOf(counted: readonly Said[]): number {
  const worth = new Map<string, number>()
  for (const { phrase, field, brand } of counted) {
    const value = WORTH[phrase.grade] * FIELD_WEIGHT[field] * BRAND_WEIGHT[brand]
    worth.set(phrase.sense, Math.max(worth.get(phrase.sense) ?? 0, value))
  }
  let innocent = 1
  for (const value of worth.values()) innocent *= 1 - value
  const most = counted.some((s) => s.brand !== 'none') ? 1 : MOST_WITHOUT_BRAND
  return Math.min(1 - innocent, most)
}

export const wording: Signal = {
  name: 'wording',
  version: '1',
  label: 'Wording',
  description:
    'Looks for the words that imitations are offered with (replica, AAA quality, super clone, 高仿, реплика ...) where a brand is named. Denials ("no replicas") and honest meanings (batteries, fan jerseys, scale models, Margiela’s Replica) do not count. Says nothing where there are none: silent counterfeits are the other signals’ task.',
  sources: Object.values(lexicon.sources),
  mode: 'enforce',
  examples,
  evaluate,
}
