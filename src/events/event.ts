// What every event definition has: a versioned CloudEvents type, the stream that it travels on, and its schema.
import type { z } from 'zod'
import type { TopicName } from './topics.ts'

export interface EventDefinition<S extends z.ZodType = z.ZodType> {
  /** CloudEvents `type`, such as `touchstone.listing.submitted.v1`. */
  readonly type: `touchstone.${string}.v${number}`
  readonly topic: TopicName
  /** `in`: others write it and we read; `out`: we write it; `both`: whoever writes it, we read it. */
  readonly direction: 'in' | 'out' | 'both'
  readonly summary: string
  readonly schema: S
}

export function defineEvent<S extends z.ZodType>(definition: EventDefinition<S>): EventDefinition<S> {
  return Object.freeze(definition)
}
