// A label as the store tells of the revision that it is about, for tests that read labels.
import type { Decision } from '../../../src/domain/decision.ts'
import type { JudgedRevision, LabelledListing, RecordedVerdict } from '../../../src/learning/ports.ts'
import { decisionId } from '../../../src/pipeline/ids.ts'

/** Decided under version 7 of a policy. */
export function judged({ listing, label, signals, at, recordedAt, saidBy, sellerId }: LabelledListing): JudgedRevision {
  const id = decisionId(listing.listingId, 1, 1)
  const verdict = { verdictId: id, decisionId: id, verdict: label, by: saidBy, at, recordedAt } as RecordedVerdict
  const decision = { decisionId: id, stage: 'screening', audit: false, policy: { version: 7 }, signals, decidedAt: at }
  return {
    listing,
    sellerId,
    marketplace: 'demo',
    verdicts: [verdict],
    decisions: [decision as unknown as Decision],
  }
}
