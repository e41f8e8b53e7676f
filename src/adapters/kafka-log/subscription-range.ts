// Whether the log holds the offset that somebody wants to read from: asked of the brokers, never guessed.
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, TouchstoneError } from '../../errors.ts'
import type { Log } from '../../pipeline/log/ports.ts'
import type { Logger } from '../../telemetry.ts'
import { isTransient } from './errors.ts'

export interface Ranges {
  /** What the log holds of a partition; waits for brokers that are away. Undefined when `lost` aborted meanwhile. */
  of(partition: number, lost: AbortSignal): Promise<{ readonly low: bigint; readonly high: bigint } | undefined>
  /**
   * The error that says so when the offset lies outside of what the log holds, at a second look too. The position is asked
   * for before each look; undefined ends the looking.
   */
  refusal(
    partition: number,
    position: () => bigint | undefined,
    lost: AbortSignal,
  ): Promise<TouchstoneError | undefined>
}

// For a moment after a leader has changed its end may lie behind what it showed before.
const CONFIRM_MS = 500

export function createRanges(topic: string, ask: Log['ranges'], logger: Logger): Ranges {
  // All partitions are looked at at the same time: they share an answer.
  let asking: ReturnType<Log['ranges']> | undefined
  const shared = async (): ReturnType<Log['ranges']> =>
    (asking ??= ask(topic).finally(() => {
      asking = undefined
    }))

  const ranges: Ranges = {
    async of(partition, lost) {
      for (let pause = 100; !lost.aborted; pause = Math.min(2 * pause, 2_000)) {
        try {
          const range = (await shared()).find((one) => one.partition === partition)
          // One that was just added is not known to every broker at once.
          if (range !== undefined) return range
        } catch (error) {
          if (!isTransient(error)) throw error
          logger.warn({ err: messageOf(error), topic }, 'the brokers do not say what the log holds, waiting')
        }
        await rest(pause, lost)
      }
      return undefined
    },
    async refusal(partition, position, lost) {
      let refusal: TouchstoneError | undefined
      for (const pause of [0, CONFIRM_MS]) {
        if (pause > 0) await rest(pause, lost)
        // An answer that is under way may be older than the position.
        await asking?.catch(() => undefined)
        const asked = position()
        const range = await ranges.of(partition, lost)
        if (asked === undefined || range === undefined || lost.aborted) return undefined
        const { low, high } = range
        if (asked >= low && asked <= high) return undefined
        refusal = new TouchstoneError(
          'offset-out-of-range',
          `The offset ${asked} of partition ${partition} of ${topic} lies outside of what the log holds: ${low} to ${high}`,
        )
      }
      return refusal
    },
  }
  return ranges
}

/** Sleeps, or less when aborted; never rejects. */
export async function rest(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch {
    // Aborted: the caller looks at the signal.
  }
}
