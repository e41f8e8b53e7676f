// Allow, hold or block, with all that made it.
import { decisionSchema } from '../domain/decision.ts'
import { defineEvent } from './event.ts'

export const listingDecided = defineEvent({
  type: 'touchstone.listing.decided.v1',
  topic: 'decisions',
  direction: 'out',
  summary: 'Allow, hold or block, with all that made it.',
  schema: decisionSchema,
})
