// The whole listing as it is after an edit; it needs no predecessor.
import { listingSchema } from '../domain/listing.ts'
import { defineEvent } from './event.ts'

export const listingRevised = defineEvent({
  type: 'touchstone.listing.revised.v1',
  topic: 'listings',
  direction: 'in',
  summary: 'The whole listing as it is after an edit; it needs no predecessor.',
  schema: listingSchema,
})
