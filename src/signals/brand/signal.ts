// The detector of brand names: hidden ones, ones that contradict the brand field, and those of much-copied marks.
import type { Signal, Finding, SignalContext } from '../signal.ts'
import type { Listing } from '../../domain/listing.ts'
import type { Mention } from '../../text/mention.ts'
import { examples } from './examples.ts'
import { sameHouse } from './houses.ts'

/**
 * Scores are ranks, not probabilities: the scorecard says what each is worth.
 * A hidden name has hardly an honest reason; a contradiction has several (retailers in the brand field, collaborations);
 * a plain mention says only that the goods are of a kind that is copied.
 */
const SCORES = {
  hiddenTitle: 0.95,
  hiddenElsewhere: 0.85,
  contradiction: 0.4,
  unclaimedMost: 0.2,
  plainMost: 0.15,
  plainSome: 0.1,
  plainOther: 0.05,
  /** The holder's goods are only what these fit or are likened to. */
  nominative: 0.02,
} as const

/** Evidence is for people: a page of it helps nobody. */
const MAX_EVIDENCE = 20

/** Brand fields that say that there is none. */
const NO_BRAND: ReadonlySet<string> = new Set([
  '',
  'unbranded',
  'no brand',
  'nobrand',
  'none',
  'n/a',
  'na',
  'generic',
  'unknown',
  'other',
  '无',
  '无品牌',
  'нет бренда',
  'без бренда',
  'sans marque',
  'senza marca',
  'sin marca',
  'ohne marke',
  'markenlos',
  'ノーブランド',
])

export const brandSignal: Signal = {
  name: 'brand',
  version: '1',
  label: 'Brand names',
  description:
    'Finds brand names in title, brand field and description, hidden ones too, and compares what is claimed with what is named.',
  sources: [
    'Look-alike letters after Unicode confusables (UTS 39) and NFKC (UAX 15)',
    'Names: name-suggestion-index (BSD-3-Clause), simple-icons (CC0-1.0), marks named in OECD/EUIPO and customs reports',
  ],
  mode: 'enforce',
  examples,
  evaluate: evaluateBrand,
}

function evaluateBrand(_listing: Listing, context: SignalContext): Finding {
  const { mentions, brand } = context.reading
  const certain = mentions.filter((m) => !m.uncertain)
  if (certain.length === 0) return { state: 'abstained', evidence: evidenceOf(mentions, 'none') }
  const hidden = certain.filter((m) => m.disguise !== 'plain')
  if (hidden.length > 0) {
    const score = hidden.some((m) => m.span.field === 'title') ? SCORES.hiddenTitle : SCORES.hiddenElsewhere
    return {
      state: 'scored',
      score,
      reasons: [
        {
          code: 'brand-name-altered',
          text: 'A brand name is not written the way its owner writes it. Please write it plainly.',
        },
      ],
      evidence: evidenceOf([...hidden, ...certain.filter((m) => m.disguise === 'plain')], 'hidden'),
    }
  }
  const claimed = new Set(certain.filter((m) => m.span.field === 'brand').map((m) => m.brandId))
  const named = certain.filter((m) => m.span.field === 'title' && m.use === 'names')
  const copied = named.filter((m) => (context.brand(m.brandId)?.copied ?? 'unknown') !== 'unknown')
  if (claimed.size > 0 && copied.length > 0 && !named.some((m) => [...claimed].some((c) => sameHouse(c, m.brandId)))) {
    return {
      state: 'scored',
      score: SCORES.contradiction,
      reasons: [
        {
          code: 'brand-contradiction',
          text: 'The brand field names another brand than the title. Please make both say whose goods these are.',
        },
      ],
      evidence: evidenceOf(certain, 'contradiction'),
    }
  }
  const unclaimed = brand.source !== '' && NO_BRAND.has(brand.text.trim())
  const score = Math.max(...certain.map((m) => plainScore(m, context, unclaimed)))
  return { state: 'scored', score, reasons: [], evidence: evidenceOf(certain, 'plain') }
}

function plainScore(mention: Mention, context: SignalContext, unclaimed: boolean): number {
  if (mention.use === 'nominative') return SCORES.nominative
  const copied = context.brand(mention.brandId)?.copied ?? 'unknown'
  // In descriptions brands are compared, listed and thanked: less than in the title.
  if (copied === 'unknown' || mention.span.field === 'description') return SCORES.plainOther
  if (copied === 'some') return SCORES.plainSome
  return unclaimed && mention.span.field === 'title' ? SCORES.unclaimedMost : SCORES.plainMost
}

function evidenceOf(mentions: readonly Mention[], finding: 'none' | 'plain' | 'hidden' | 'contradiction') {
  return {
    finding,
    mentions: mentions.slice(0, MAX_EVIDENCE).map((m) => ({
      brandId: m.brandId,
      disguise: m.disguise,
      use: m.use,
      uncertain: m.uncertain,
      span: { ...m.span },
    })),
    more: Math.max(0, mentions.length - MAX_EVIDENCE),
  }
}
