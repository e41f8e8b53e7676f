// The seller took the listing back: an open case closes, nothing is decided.
import { withdrawalSchema } from '../domain/listing.ts'
import { defineEvent } from './event.ts'

export const listingWithdrawn = defineEvent({
  type: 'touchstone.listing.withdrawn.v1',
  topic: 'listings',
  direction: 'in',
  summary: 'The seller took the listing back: an open case closes, nothing is decided.',
  schema: withdrawalSchema,
})
