// What a record means for its listing, decided under the listing's row lock: pure, synchronous, one record after the other.
import type { Decision } from '../domain/decision.ts'
import type { Listing, ListingIdentity } from '../domain/listing.ts'
import type { RefusalCode } from '../domain/refusal.ts'
import type { TopicNames } from '../events/topics.ts'
import { sha256sOf } from '../imaging/picture.ts'
import { mayBeMended, type Assessment } from './assess.ts'
import { assessed, openerOf } from './assessed.ts'
import type { Draw } from './audit.ts'
import { deadLetterRow } from './dead-letter.ts'
import { caseId, decisionId } from './ids.ts'
import type { Outcome } from './outcome.ts'
import type { LogRecord } from './log/ports.ts'
import type { Keepsake } from './pictures/keeping.ts'
import type { Settlement, Standing } from './ports.ts'
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
export interface Withdrawal {
  readonly kind: 'withdrawal'
  readonly identity: ListingIdentity
  readonly marketplace?: string | undefined
}
export type Tried = Outcome<TriedListing | Withdrawal>

export interface TriedRecord {
  readonly record: LogRecord
  readonly partition: number
  readonly tried: Tried
  /** The offset does not pass it with this commit, so after a crash it is settled again. */
  readonly early?: boolean
}

/** How each record of a batch ended; every record is counted under exactly one. */
export interface Tally {
  decided: Decision[]
  refused: RefusalCode[]
  deadLetters: string[]
  duplicates: number
  withdrawals: number
  /** When the log took each listing that was decided. */
  waitedSince: Date[]
  /** Of those that came early, what must wait for the offset; with what came after it of the same listing. Not counted. */
  left: TriedRecord[]
}

/**
 * Settles a batch in log order.
 *
 * - a revision that is known with the same content is a duplicate: nothing is written;
 * - known with other content `revision-reused`; below the highest decided `superseded`; at or below a withdrawal `withdrawn`;
 * - a new revision of a listing that stands held or blocked is never decided better than hold until a person has looked,
 *   so its deadline ends in a block and its case carries over (edit to escape);
 * - of what is allowed a share is drawn for a person to look at, and goes on sale meanwhile; the case of one that was drawn
 *   carries over as well, so that an edit does not end the look;
 * - a withdrawal closes the open case and decides nothing; of an id of which nothing is decided it is remembered for its own
 *   marketplace, the latest one, and claims nothing;
 * - of what is early only that is settled which is known when it comes again: decisions, withdrawals of what is decided,
 *   duplicates. A refusal or a dead letter would be written twice, so it is left for the commit that moves the offset over it.
 */
export function settle(
  records: readonly TriedRecord[],
  standings: ReadonlyMap<string, Standing>,
  context: {
    readonly topics: TopicNames
    readonly topic: string
    readonly now: Date
    /** Of what is allowed, which is drawn for an audit. */
    readonly draw: Draw
    /** What the topic of the dead letters takes as one record. */
    readonly maxDeadLetterBytes: number
  },
): { settlement: Settlement; tally: Tally } {
  const draft = new SettlementDraft(standings, context.topics)
  const tally: Tally = {
    decided: [],
    refused: [],
    deadLetters: [],
    duplicates: 0,
    withdrawals: 0,
    waitedSince: [],
    left: [],
  }
  const at = context.now.toISOString()

  const waiting = new Set<string>()

  for (const one of records) {
    const { record, partition, tried, early = false } = one
    const leave = (listingId?: string): void => {
      tally.left.push(one)
      if (listingId !== undefined) waiting.add(listingId)
    }
    const place = { topic: context.topic, partition, offset: record.offset }
    const refuse = (
      identity: ListingIdentity,
      marketplace: string | null,
      code: RefusalCode,
      message: string,
      path: string,
    ) => {
      if (early) {
        leave(identity.listingId)
        return
      }
      draft.refusal({ ...identity, code, message, path, at, ...(marketplace === null ? {} : { marketplace }) }, place)
      tally.refused.push(code)
    }
    if (tried.kind === 'deadLetter') {
      if (early) {
        leave()
        continue
      }
      draft.deadLetter(deadLetterRow(record, tried, place, { now: context.now, maxBytes: context.maxDeadLetterBytes }))
      tally.deadLetters.push(tried.code)
      continue
    }
    if (tried.kind === 'refuse') {
      refuse(
        { listingId: tried.listingId, revision: tried.revision },
        tried.marketplace ?? null,
        tried.code,
        tried.message,
        tried.path,
      )
      continue
    }
    const value = tried.value
    const identity: ListingIdentity = value.kind === 'listing' ? value.listing : value.identity
    const { listingId, revision } = identity
    if (waiting.has(listingId)) {
      leave(listingId)
      continue
    }
    const row = draft.of(listingId)
    // What is remembered of an id of which nothing is decided, its first listing may undo: it would not be known again.
    if (early && value.kind === 'withdrawal' && row.revision === 0) {
      leave(listingId)
      continue
    }
    const claimed = value.kind === 'listing' ? value.listing.marketplace : value.marketplace
    // Whoever comes with another's id first has only guessed it: what was remembered of that was not said of this listing.
    if (row.revision === 0 && row.marketplace !== null && claimed !== row.marketplace) {
      row.marketplace = null
      row.withdrawnRevision = 0
    }
    const no = (code: RefusalCode, message: string, path = '/revision') =>
      refuse({ listingId, revision }, claimed ?? row.marketplace, code, message, path)

    // A withdrawal that names a marketplace was bound to it, or means its own listing.
    const bound = value.kind === 'listing' ? value.bound : claimed !== undefined
    const taken = bound && row.revision > 0 && row.marketplace === null
    if (taken || (claimed !== undefined && row.marketplace !== null && claimed !== row.marketplace)) {
      no('marketplace-mismatch', 'the listingId is in use outside of this marketplace', '/marketplace')
      continue
    }
    if (value.kind === 'withdrawal') {
      if (revision <= row.withdrawnRevision) tally.duplicates += 1
      else if (revision < row.revision)
        no('superseded', `revision ${row.revision} is already decided; withdraw that one`)
      else {
        withdraw(draft, row, revision, at)
        row.marketplace ??= claimed ?? null
        tally.withdrawals += 1
      }
      continue
    }
    const known = row.hashes.get(revision)
    if (known === value.contentHash) tally.duplicates += 1
    else if (known !== undefined)
      no(
        'revision-reused',
        `revision ${revision} was sent before with other content; raise the revision with every edit`,
      )
    else if (revision <= row.withdrawnRevision)
      no(
        'withdrawn',
        `the listing was withdrawn at revision ${row.withdrawnRevision}; a higher revision offers it again`,
      )
    else if (revision < row.revision) no('superseded', `revision ${row.revision} is already decided`)
    else {
      tally.decided.push(decideRevision(draft, row, value, context))
      tally.waitedSince.push(record.appendedAt)
    }
  }
  return { settlement: draft.done(), tally }
}

/** The decision on a listing of which nothing else is known: the dry run. Nothing is drawn: who asks must not learn what would be. */
export function decideAlone(tried: TriedListing, topics: TopicNames, now: Date): Decision {
  const draft = new SettlementDraft(new Map(), topics)
  return decideRevision(draft, draft.of(tried.listing.listingId), tried, { now, draw: () => false })
}

function withdraw(draft: SettlementDraft, row: Draft, revision: number, at: string): void {
  if (row.caseId !== null) {
    draft.case({
      caseId: row.caseId,
      listingId: row.listingId,
      change: 'withdrawn',
      revision,
      brandIds: [],
      risk: 0,
      openedBy: null,
      marketplace: row.marketplace,
      dueAt: null,
      at,
    })
  }
  // The outcome stays: a listing that was held comes back as one that was held, whatever its next revision says.
  row.withdrawnRevision = revision
  row.caseId = null
  row.holdUntil = null
  row.changed = true
}

function decideRevision(
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
  const openCase = looked ? (row.caseId ?? caseId(listing.listingId, listing.revision, sequence)) : null
  // An open case of a listing on sale was a sample: what is stopped now waits for another reason.
  const wasSample = row.caseId !== null && row.outcome === 'allow'
  const marketplace = listing.marketplace ?? row.marketplace

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
    ...assessed(assessment, { outcome, openCase, inReview }),
    ...(outcome === 'hold'
      ? { hold: { until: dueAt, onDeadline: inReview ? ('block' as const) : answer.onDeadline } }
      : {}),
    degraded: answer.degraded,
    audit,
  }
  draft.decision(decision, tried.shown)
  draft.revision({ listing, contentHash: tried.contentHash, submittedAt: tried.submittedAt })
  if (openCase !== null) {
    draft.case({
      caseId: openCase,
      listingId: listing.listingId,
      change: openCase === row.caseId ? 'carry' : 'open',
      revision: listing.revision,
      brandIds: decision.brandIds,
      risk: decision.risk,
      openedBy: openCase === row.caseId && (!wasSample || audit) ? null : audit ? 'audit' : openerOf(outcome),
      marketplace,
      // The look at a sample is due when it was, however often its seller edits.
      dueAt: audit && openCase === row.caseId ? null : dueAt,
      at: decision.decidedAt,
    })
    for (const picture of tried.kept ?? [])
      draft.casePicture({ caseId: openCase, revision: listing.revision, brandIds: decision.brandIds, ...picture })
  }
  if (mayBeMended(assessment, listing))
    draft.rescreen({
      listingId: listing.listingId,
      revision: listing.revision,
      seen: sha256sOf(assessment.pictures),
    })
  row.marketplace = marketplace
  row.sellerId = listing.sellerId
  row.revision = listing.revision
  row.sequence = sequence
  row.outcome = outcome
  row.caseId = openCase
  row.holdUntil = outcome === 'hold' ? dueAt : null
  row.hashes.set(listing.revision, tried.contentHash)
  row.changed = true
  return decision
}
