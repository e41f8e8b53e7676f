// The whole listing as a seller submitted it.
import { listingSchema } from '../domain/listing.ts'
import { defineEvent } from './event.ts'

export const listingSubmitted = defineEvent({
  type: 'touchstone.listing.submitted.v1',
  topic: 'listings',
  direction: 'in',
  summary: 'The whole listing as a seller submitted it.',
  schema: listingSchema,
})
