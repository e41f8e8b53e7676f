// The one list of events; schemas, AsyncAPI, documentation and contract tests are made from it.
import type { EventDefinition } from './event.ts'
import { listingDecided } from './listing-decided.ts'
import { listingRefused } from './listing-refused.ts'
import { listingRevised } from './listing-revised.ts'
import { listingSubmitted } from './listing-submitted.ts'
import { listingWithdrawn } from './listing-withdrawn.ts'
import { verdictRecorded } from './verdict-recorded.ts'

export { listingDecided, listingRefused, listingRevised, listingSubmitted, listingWithdrawn, verdictRecorded }

export const EVENTS: readonly EventDefinition[] = [
  listingSubmitted,
  listingRevised,
  listingWithdrawn,
  listingDecided,
  listingRefused,
  verdictRecorded,
]
