// How many partitions a topic has, for placing records: asked once, and again now and then in the background.
import { TouchstoneError } from '../../errors.ts'
import { assertKnown, type Session } from './session.ts'

export interface PartitionCounts {
  /** Throws `not-found`, `log-unavailable`. Calls that wait together go on in their order. */
  readonly of: (topic: string) => Promise<number>
}

// Partitions are added by hand and seldom; other producers notice within minutes too.
const FRESH_MS = 30_000

interface Known {
  readonly count: Promise<number>
  readonly asked: number
}

export function createPartitionCounts(session: Session): PartitionCounts {
  const known = new Map<string, Known>()

  function ask(topic: string): Known {
    const count = session.ask(topic, async (cluster) => assertKnown(cluster, topic).length)
    return { count, asked: performance.now() }
  }

  /** What was known counts until the new answer is there; only a topic that is gone is forgotten. */
  function renew(topic: string, old: Known): void {
    const fresh = ask(topic)
    known.set(topic, { count: old.count, asked: fresh.asked })
    fresh.count.then(
      () => known.set(topic, fresh),
      (error: unknown) => {
        if (error instanceof TouchstoneError && error.code === 'not-found') known.delete(topic)
      },
    )
  }

  return {
    async of(topic) {
      const found = known.get(topic)
      if (found !== undefined) {
        if (performance.now() - found.asked > FRESH_MS) renew(topic, found)
        return found.count
      }
      const first = ask(topic)
      known.set(topic, first)
      first.count.catch(() => known.delete(topic))
      return first.count
    },
  }
}
