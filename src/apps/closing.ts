// Ends parts in the reverse of their order, each even where another one fails: nothing loses what it stands on.
import { messageOf } from '../errors.ts'
import type { Logger } from '../telemetry.ts'

export interface Closing {
  /** Whether the end has begun: what breaks from now on is on its way out anyhow. */
  readonly begun: boolean
  add(step: () => Promise<void>): void
  /** Never rejects. With a dead database some steps fail; a loop that was left would keep the process alive for ever. */
  close(): Promise<void>
}

export function createClosing(log: Logger): Closing {
  const steps: (() => Promise<void>)[] = []
  let begun = false
  return {
    get begun() {
      return begun
    },
    add: (step) => void steps.push(step),
    async close() {
      begun = true
      for (const step of steps.splice(0).reverse()) {
        try {
          await step()
        } catch (error) {
          log.warn({ err: messageOf(error) }, 'a part did not stop in order')
        }
      }
    },
  }
}
