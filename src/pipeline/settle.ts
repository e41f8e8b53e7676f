// What a record means for its listing, decided under the listing's row lock: pure, synchronous, one record after the other.
import type { Decision } from '../domain/decision.ts'
import type { ListingIdentity } from '../domain/listing.ts'
import type { RefusalCode } from '../domain/refusal.ts'
import type { TopicNames } from '../events/topics.ts'
import type { Draw } from './audit.ts'
import { deadLetterRow } from './dead-letter.ts'
import { decideRevision, type TriedListing } from './deciding.ts'
import type { Outcome } from './outcome.ts'
import type { LogRecord } from './log/ports.ts'
import type { Settlement, Standing } from './ports.ts'
import { SettlementDraft, type Draft } from './settlement.ts'

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
 * - a revision that is known with the same content is a duplicate, also where our own code fails on it now: nothing is written;
 * - known with other content `revision-reused`; below the highest decided `superseded`; at or below a withdrawal `withdrawn`;
 * - a new revision of a listing that stands held or blocked is never decided better than hold until a person has looked,
 *   so its deadline ends in a block and its case carries over (edit to escape);
 * - of what is allowed a share is drawn for a person to look at, and goes on sale meanwhile; the case of one that was drawn
 *   carries over as well, so that an edit does not end the look;
 * - a withdrawal closes the open case and decides nothing; where the next revision has one, it is that case again, as after an
 *   edit: else whoever withdraws before an edit takes what was held out of sight. Of an id of which nothing is decided it is remembered for its own
 *   marketplace, and claims nothing;
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
      const { said } = tried
      // Decided before, perhaps ahead of the offset by a worker that died: that is its end, whatever fails now.
      if (said !== undefined && draft.of(said.listingId).hashes.get(said.revision) === said.contentHash) {
        tally.duplicates += 1
        continue
      }
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
    const isRemembered = row.marketplace !== null || row.withdrawnByOthers.some((one) => one.marketplace === claimed)
    if (row.revision === 0 && isRemembered && (claimed ?? null) !== row.marketplace) recall(row, claimed)
    const no = (code: RefusalCode, message: string, path = '/revision') =>
      refuse({ listingId, revision }, claimed ?? row.marketplace, code, message, path)

    // A withdrawal that names a marketplace was bound to it, or means its own listing. Whose names none claims nothing.
    const bound = claimed !== undefined && (value.kind === 'withdrawal' || value.bound)
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

/** How many marketplaces are remembered to have withdrawn one id of which nothing is decided: who guesses ids fills no row. */
const MOST_REMEMBERED = 16

/**
 * Of an id of which nothing is decided: whoever came with it first has only guessed it, and what was remembered of that was not
 * said of this marketplace's listing. So the row is this one's now, as it left it, and the other's words are put aside.
 */
function recall(row: Draft, claimed: string | undefined): void {
  const { marketplace, withdrawnRevision: revision, withdrawnByOthers } = row
  const own = withdrawnByOthers.find((one) => one.marketplace === (claimed ?? null))
  const others = [...withdrawnByOthers.filter((one) => one !== own), { marketplace, revision }]
  row.withdrawnByOthers = others.slice(-MOST_REMEMBERED)
  row.marketplace = own?.marketplace ?? null
  row.withdrawnRevision = own?.revision ?? 0
}

function withdraw(draft: SettlementDraft, row: Draft, revision: number, at: string): void {
  if (row.caseId !== null) {
    draft.case({
      caseId: row.caseId,
      listingId: row.listingId,
      change: 'withdrawn',
      // What it is about, which somebody may still say something of; a withdrawal may name a later one, which nobody knows.
      revision: row.revision,
      brandIds: [],
      risk: 0,
      openedBy: null,
      marketplace: row.marketplace,
      dueAt: null,
      at,
    })
    row.withdrawnCaseId = row.caseId
  }
  // The outcome stays: a listing that was held comes back as one that was held, whatever its next revision says.
  row.withdrawnRevision = revision
  row.caseId = null
  row.holdUntil = null
  row.changed = true
}
