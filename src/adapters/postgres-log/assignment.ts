// Keeps a member's share of the partitions: beats, renews, takes what is free, gives back what is too much, and knows when it lost.
import type { Batch } from '../../pipeline/log/ports.ts'
import { createPauses, isTransient, rest } from './connection.ts'
import { acquire, beat, fairShare, leave, prepareLeases, release, survey, type Lease, type Member } from './leases.ts'

/** A partition that is held, from the lease's beginning to its end; won again it is a new object. */
export interface Held extends Lease {
  /** Aborted when the lease is lost or the subscription stops. */
  readonly lost: AbortController
  /** Where the next fetch begins; undefined until placed. */
  position: bigint | undefined
  placing: boolean
  /** Fetched, not yet handed over. */
  ready: Batch | undefined
  /** Handed over and not ended: one, and before it those that wait. */
  readonly inHand: Set<object>
  /** Results `moved` in a row. */
  moves: number
  /** Since when it is to be given back (monotonic milliseconds): no new batch. */
  leavingSince: number | undefined
}

export interface Assignment {
  readonly held: ReadonlyMap<number, Held>
  /** Whether the lease of everything in `held` still runs by this process's own clock. */
  valid(): boolean
  /** Milliseconds since a round last ended well; since the beginning when none did. */
  renewedMs(): number
  /** Look soon: a batch was finished, or the membership changed. */
  wake(): void
  /** Runs until `over` aborts, then leaves the group; rejects for failures that waiting does not mend. */
  run(over: AbortSignal): Promise<void>
}

// Three chances to renew before the lease ends, and a tenth of it as margin for timers that fire late.
const BEATS_PER_LEASE = 3
const OWN_SHARE_OF_LEASE = 0.9

export function createAssignment(
  member: Member,
  partitions: number,
  stopping: AbortSignal,
  events: { changed(): void; announce(): void; trouble(error: unknown): void },
): Assignment {
  const held = new Map<number, Held>()
  let deadline = 0
  let renewed = performance.now()
  let woken = new AbortController()
  let timer: NodeJS.Timeout | undefined

  const valid = (): boolean => performance.now() < deadline

  function lose(h: Held): void {
    held.delete(h.partition)
    h.ready = undefined
    h.lost.abort()
  }

  // The lease began no earlier than `asked`, so by the monotonic clock it cannot have ended before this deadline.
  function renewUntil(asked: number): void {
    deadline = asked + member.leaseMs * OWN_SHARE_OF_LEASE
    clearTimeout(timer)
    timer = setTimeout(() => {
      for (const h of held.values()) lose(h)
      events.changed()
    }, deadline - performance.now())
  }

  function keep(leases: readonly Lease[]): void {
    for (const h of held.values()) {
      if (!leases.some((l) => l.partition === h.partition && l.epoch === h.epoch)) lose(h)
    }
    for (const lease of leases) {
      if (!held.has(lease.partition)) held.set(lease.partition, newlyHeld(lease))
    }
  }

  async function renew(): Promise<void> {
    const asked = performance.now()
    const leases = await beat(member)
    keep(leases)
    renewUntil(asked)
  }

  /** Gives back what exceeds the share, after the batch in hand; a batch that outlasts a lease is told to give up. */
  async function shrink(share: number): Promise<void> {
    const now = performance.now()
    const byIdleness = [...held.values()].sort((a, b) => workOf(a) - workOf(b))
    byIdleness.forEach((h, i) => {
      // Who was told to give up has to go, whatever the share is now.
      if (i >= held.size - share && !h.lost.signal.aborted) h.leavingSince = undefined
      else h.leavingSince ??= now
    })
    const leaving = byIdleness.filter((h) => h.leavingSince !== undefined)
    for (const h of leaving) if (now - (h.leavingSince ?? now) > member.leaseMs) h.lost.abort()
    const idle = leaving.filter((h) => h.inHand.size === 0)
    if (idle.length === 0) return
    for (const h of idle) lose(h)
    await release(member, idle)
    events.announce()
  }

  /** One round; answers with the milliseconds until the next is due. */
  async function round(): Promise<number> {
    await renew()
    const pause = member.leaseMs / BEATS_PER_LEASE
    if (stopping.aborted) return pause
    const seen = await survey(member)
    const share = fairShare(seen.members, member.member, partitions)
    await shrink(share)
    const wanted = share - held.size
    if (wanted > 0 && seen.free > 0) {
      for (const lease of await acquire(member, wanted)) held.set(lease.partition, newlyHeld(lease))
    }
    events.changed()
    // Somebody who died is followed when its lease ends, not a beat later.
    return held.size < share && seen.nextEnd !== undefined ? Math.min(pause, Math.max(seen.nextEnd, 0) + 5) : pause
  }

  return {
    held,
    valid,
    renewedMs: () => performance.now() - renewed,
    wake: () => woken.abort(),
    async run(over) {
      const pauses = createPauses()
      let joined = false
      over.addEventListener('abort', () => woken.abort(), { once: true })
      try {
        while (!over.aborted) {
          woken = new AbortController()
          const { signal } = woken
          try {
            if (!joined) await prepareLeases(member, partitions)
            const pause = await round()
            if (!joined) events.announce()
            joined = true
            renewed = performance.now()
            pauses.reset()
            await rest(pause, signal)
          } catch (error) {
            if (!isTransient(error)) throw error
            events.trouble(error)
            await pauses.wait(over)
          }
        }
      } finally {
        clearTimeout(timer)
        for (const h of held.values()) lose(h)
        // What cannot be given back now ends by itself.
        await leave(member).catch(() => undefined)
        events.announce()
      }
    },
  }
}

const newlyHeld = ({ partition, epoch }: Lease): Held => ({
  partition,
  epoch,
  lost: new AbortController(),
  position: undefined,
  placing: false,
  ready: undefined,
  inHand: new Set(),
  moves: 0,
  leavingSince: undefined,
})

const workOf = (h: Held): number => (h.inHand.size === 0 ? 0 : 2) + (h.ready === undefined ? 0 : 1)
