// Listings tried and tried again by hand, for tests of what trying again means. Real: settling both times; made up: assessments.
import type { Decision } from '../../../src/domain/decision.ts'
import type { Listing } from '../../../src/domain/listing.ts'
import type { Outcome } from '../../../src/domain/policy.ts'
import { topicNames } from '../../../src/events/topics.ts'
import type { Assessment } from '../../../src/pipeline/assess.ts'
import type { Keepsake, Kept } from '../../../src/pipeline/pictures/keeping.ts'
import type { Standing } from '../../../src/pipeline/ports.ts'
import { settleRescreens } from '../../../src/pipeline/rescreening/settle.ts'
import type { TriedListing } from '../../../src/pipeline/deciding.ts'
import { settle } from '../../../src/pipeline/settle.ts'
import { assessment, listingOf } from './assessments.ts'
import { seenPicture } from '../seen-picture.ts'

export const topics = topicNames('t')
export const NOW = new Date('2026-01-01T00:00:00Z')
export const LATER = new Date('2026-01-01T01:00:00Z')
export const listing = { ...listingOf('L', 1), images: [{ url: 'https://shop.example/1.jpg' }] }

/** As the policy decides while `fault` keeps a picture from being seen. */
export const degraded = (outcome: Outcome, fault: 'timed-out' | 'gone' | 'too-large' = 'timed-out'): Assessment => {
  const whole = assessment(outcome)
  return {
    ...whole,
    answer: { ...whole.answer, degraded: true, seenAlone: 'allow', onDeadline: 'block' },
    passing: fault === 'timed-out',
    late: fault === 'gone',
    pictures: [{ state: 'unseen', fault, message: '' }],
  }
}

export const shows = (tried: Assessment, ...sha256s: (string | null)[]): Assessment => ({
  ...tried,
  pictures: sha256s.map((s) => (s === null ? { state: 'unseen', fault: 'timed-out', message: '' } : seenPicture(s))),
})

/** Screens a revision on what stands, and gives what stands then. */
export function screened(
  tried: Assessment,
  before?: Standing,
  revision = 1,
  keepsake: Keepsake = {},
  of: Listing = listing,
) {
  const value: TriedListing = {
    kind: 'listing',
    listing: { ...of, revision },
    bound: false,
    contentHash: String(revision).repeat(64).slice(0, 64),
    submittedAt: NOW.toISOString(),
    assessment: tried,
    ...keepsake,
  }
  const record = { offset: 0n, appendedAt: NOW, key: null, value: null, headers: {} }
  const { settlement } = settle(
    [{ record, partition: 0, tried: { kind: 'ok', value } }],
    new Map(before === undefined ? [] : [['L', before]]),
    { topics, topic: 'in', now: NOW, draw: () => false, maxDeadLetterBytes: 1_000 },
  )
  const [row] = settlement.standings
  const [decision] = settlement.decisions
  if (row === undefined || decision === undefined) throw new Error('nothing was decided')
  const { holdUntil: _, ...standing } = row
  return { settlement, decision, standing: { ...standing, hashes: new Map() } satisfies Standing }
}

export function again(
  tried: Assessment,
  standing: Standing,
  decisions: readonly Decision[],
  more: {
    attempts?: number
    revision?: number
    seen?: (string | null)[]
    now?: Date
    afterChange?: bigint
    kept?: Kept
    isLacking?: boolean
  } = {},
) {
  const { attempts = 1, revision = 1, seen = [], now = LATER, afterChange = 0n, isLacking = false } = more
  const { kept = [{ ordinal: 0, sha256: 'a' }] } = more
  return settleRescreens(
    [
      {
        listing: { ...listing, revision },
        assessment: tried,
        attempts,
        seen,
        afterChange,
        kept,
        isLacking,
        shown: 'digest',
      },
    ],
    new Map([['L', { standing, decisions }]]),
    { now, topics },
  )
}
