// The decision on one revision as it was assessed, on what stands of its listing: also the case that it opens or carries over.
import type { Decision } from '../domain/decision.ts'
import type { Listing } from '../domain/listing.ts'
import type { TopicNames } from '../events/topics.ts'
import { sha256sOf } from '../imaging/picture.ts'
import { mayBeMended, mayBeSeenLater, type Assessment } from './assess.ts'
import { assessed } from './assessed.ts'
import type { Draw } from './audit.ts'
import { openCaseOf } from './case-of-decision.ts'
import { caseId, decisionId } from './ids.ts'
import type { Keepsake } from './pictures/keeping.ts'
import type { WantedRescreen } from './ports.ts'
import { SettlementDraft, type Draft } from './settlement.ts'

export interface TriedListing extends Keepsake {
  readonly kind: 'listing'
  readonly listing: Listing
  /** It came by a key that is bound to one marketplace. */
  readonly bound: boolean
  readonly contentHash: string
  readonly submittedAt: string
  readonly assessment: Assessment
}

/** Leaves the row as this revision's. What may stand before it and what not, and in which order, its caller knows. */
export function decideRevision(
  draft: SettlementDraft,
  row: Draft,
  tried: TriedListing,
  { now, draw }: { readonly now: Date; readonly draw: Draw },
): Decision {
  const { listing, assessment } = tried
  const { answer } = assessment
  const inReview = row.outcome === 'hold' || row.outcome === 'block'
  const outcome = inReview && answer.outcome === 'allow' ? 'hold' : answer.outcome
  const sequence = row.sequence + 1
  const id = decisionId(listing.listingId, listing.revision, sequence)
  const audit = outcome === 'allow' && (row.caseId !== null || draw(id, answer.audit.share))
  const dueIn = audit ? answer.audit.dueSeconds : answer.deadlineSeconds
  const dueAt = new Date(now.getTime() + dueIn * 1000).toISOString()
  const looked = outcome !== 'allow' || audit
  const before = row.caseId ?? row.withdrawnCaseId
  const openCase = looked ? (before ?? caseId(listing.listingId, listing.revision, sequence)) : null
  const marketplace = listing.marketplace ?? row.marketplace

  // Also where the case was closed by what stopped it, or by a withdrawal: who had to look is asked about the edit.
  const waiting = inReview || (looked && before !== null) ? row.caseBrandIds : []

  const decision: Decision = {
    decisionId: id,
    listingId: listing.listingId,
    revision: listing.revision,
    sequence,
    contentHash: tried.contentHash,
    ...(marketplace === null ? {} : { marketplace }),
    sellerId: listing.sellerId,
    submittedAt: tried.submittedAt,
    decidedAt: now.toISOString(),
    stage: 'screening',
    ...assessed(assessment, { outcome, openCase, inReview, waiting }),
    ...(outcome === 'hold'
      ? { hold: { until: dueAt, onDeadline: inReview ? ('block' as const) : answer.onDeadline } }
      : {}),
    degraded: answer.degraded,
    audit,
  }
  draft.decision(decision, tried.shown)
  draft.revision({ listing, contentHash: tried.contentHash, submittedAt: tried.submittedAt })
  openCaseOf(decision, row, draft, { dueAt, kept: tried.kept })
  // Whoever looks at the case, and the bank that its pictures may join, get what there was no time for now.
  const isLacking = looked && (tried.isLacking === true || mayBeSeenLater(assessment, listing))
  if (mayBeMended(assessment, listing) || isLacking)
    draft.rescreen({
      listingId: listing.listingId,
      revision: listing.revision,
      seen: sha256sOf(assessment.pictures),
      ...inlineOf(listing),
    })
  row.marketplace = marketplace
  row.withdrawnByOthers = []
  row.sellerId = listing.sellerId
  row.revision = listing.revision
  row.sequence = sequence
  row.outcome = outcome
  row.caseId = openCase
  row.withdrawnCaseId = null
  row.caseBrandIds = decision.brandIds
  row.holdUntil = outcome === 'hold' ? dueAt : null
  row.hashes.set(listing.revision, tried.contentHash)
  row.changed = true
  return decision
}

/** The bytes of what came inline: a revision is stored without them. */
function inlineOf({ images = [] }: Listing): Pick<WantedRescreen, 'inline'> {
  return images.some(({ data }) => data !== undefined) ? { inline: images.map(({ data }) => data ?? null) } : {}
}

/** The decision on a listing of which nothing else is known: the dry run. Nothing is drawn: who asks must not learn what would be. */
export function decideAlone(tried: TriedListing, topics: TopicNames, now: Date): Decision {
  const draft = new SettlementDraft(new Map(), topics)
  return decideRevision(draft, draft.of(tried.listing.listingId), tried, { now, draw: () => false })
}
