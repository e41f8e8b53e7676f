// What a person said of a listing: ours out, and those of a marketplace's own review tool in.
import { verdictSchema } from '../domain/verdict.ts'
import { defineEvent } from './event.ts'

export const verdictRecorded = defineEvent({
  type: 'touchstone.verdict.recorded.v1',
  topic: 'verdicts',
  direction: 'both',
  summary: 'What a person said of a listing; a marketplace’s own review tool may write it too.',
  schema: verdictSchema,
})
