// What is said of a batch that cannot be read, wherever a fetch meets it: its place, which its header tells.
import { TouchstoneError } from '../../errors.ts'
import type { RawMessage } from './internals.ts'
import { recordOf } from './records.ts'

export interface Refusal extends TouchstoneError {
  /** The last offset of the batch: reading can go on behind it. */
  readonly last: bigint
  readonly appendedAt: Date
  /** It was written in a transaction, as everything of ours is; which one need not be known. */
  readonly inTransaction: boolean
}

/** `log-unreadable` for an answer that is the stand-in of a batch; undefined for one that holds records, or nothing. */
export function refusalIn(topic: string, partition: number, messages: readonly RawMessage[]): Refusal | undefined {
  const [message] = messages
  // Nobody gets to see what was aborted.
  if (message?.unreadable === undefined || message.isControlRecord) return undefined
  const { first, last, reason } = message.unreadable
  // Without a cause: whoever looks for the root of a failure would find that, which names no place.
  const error = new TouchstoneError(
    'log-unreadable',
    `The offsets ${first} to ${last} of ${topic}[${partition}] are one batch that cannot be read: ${reason}`,
  )
  const inTransaction = message.batchContext?.inTransaction === true
  return Object.assign(error, { last, appendedAt: recordOf(message).appendedAt, inTransaction })
}

export const isRefusal = (error: unknown): error is Refusal =>
  error instanceof TouchstoneError && error.code === 'log-unreadable' && 'last' in error
