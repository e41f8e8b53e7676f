// A record that could be named but not tried: the listing revision is not on sale.
import { refusalSchema } from '../domain/refusal.ts'
import { defineEvent } from './event.ts'

export const listingRefused = defineEvent({
  type: 'touchstone.listing.refused.v1',
  topic: 'decisions',
  direction: 'out',
  summary: 'A record that could be named but not tried: the listing revision is not on sale.',
  schema: refusalSchema,
})
