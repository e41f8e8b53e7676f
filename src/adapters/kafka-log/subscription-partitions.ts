// The partitions that a member holds: placed by the consumer's word, their batches handed over in turn, taken back at once.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Batch, Consumer, SubscribeOptions } from '../../pipeline/log/ports.ts'
import type { Logger } from '../../telemetry.ts'
import { createQueue, type Fetched, type Queue } from './subscription-queue.ts'
import { rest, type Ranges } from './subscription-range.ts'

export interface PartitionsParts {
  readonly options: SubscribeOptions
  readonly consumer: Consumer
  readonly ranges: Ranges
  readonly logger: Logger
  /** How long the others wait for what is in hand here. */
  readonly patienceMs: number
  /** Where fetching can be told to stand still and to begin. */
  readonly fetching: {
    pause(partition: number): void
    resume(partition: number): void
    place(partition: number, offset: bigint): void
  }
  /** False: stand still, the partitions may be with others. */
  readonly mayHand: () => boolean
  readonly fail: (error: unknown) => void
}

export interface Partitions {
  held(): number[]
  /** What the consumer has committed of those held now. */
  readonly handled: ReadonlyMap<number, bigint>
  /** These and no others from now on. */
  give(partitions: readonly number[]): void
  /** Takes all back; resolves when what was in hand is done, or the others would not wait any longer. */
  revoke(): Promise<void>
  /** Resolves when nothing is in hand. */
  idle(): Promise<void>
  fetched(partition: number, fetched: Fetched): void
  /** Control and aborted records alone: `from` is the first of them, at or behind where the fetch began. */
  skipped(partition: number, from: bigint, next: bigint, end: bigint): void
  /** Fails with the refusal when everything before it is committed: a restart shall not find it sooner than what it can do. */
  unreadable(partition: number, from: bigint, refusal: unknown): void
  /** Fails when the log no longer holds what is to be fetched next of some partition. */
  check(): Promise<void>
}

/** A partition as long as it is given to this member in one generation of the group. */
interface Held {
  readonly partition: number
  readonly lost: AbortController
  /** Undefined until it is placed. */
  queue: Queue | undefined
  placing: boolean
  /** `moved` in a row. */
  moves: number
  /** Fetching stands still because the queue is full. */
  paused: boolean
  /** Why nothing behind the queue can be read. */
  refusal: unknown
}

interface InHand {
  readonly h: Held
  /** For somebody else: it takes no lane. */
  waits: boolean
  over: Promise<void>
}

export function createPartitions(parts: PartitionsParts): Partitions {
  const { options, consumer, ranges, logger, fetching, fail } = parts
  const { topic } = options
  /** In the order in which they are served next. */
  const held = new Map<number, Held>()
  /** Also of earlier generations: never two batches of one partition, unless those before only wait. */
  const inHand = new Set<InHand>()
  const handled = new Map<number, bigint>()

  const isCurrent = (h: Held): boolean => held.get(h.partition) === h && !h.lost.signal.aborted
  const of = (partition: number): InHand[] => [...inHand].filter((one) => one.h.partition === partition)
  const lanes = (): number => [...inHand].filter((one) => !one.waits).length

  function halt(h: Held): void {
    h.queue = undefined
    h.paused = false
    h.refusal = undefined
    fetching.pause(h.partition)
  }

  function go(h: Held, queue: Queue): void {
    h.queue = queue
    fetching.place(h.partition, queue.next)
  }

  /** Asks the consumer where to begin, looks whether the log holds that, and reads on from there. */
  async function place(h: Held): Promise<void> {
    if (h.placing) return
    h.placing = true
    halt(h)
    const { signal } = h.lost
    try {
      await Promise.all(of(h.partition).map((one) => one.over))
      // Once is a matter of course; whoever is moved again and again does not ask the store without a pause.
      if (h.moves > 1) await rest(Math.min(100 * 2 ** (h.moves - 2), 5_000), signal)
      const range = await ranges.of(h.partition, signal)
      if (range === undefined || signal.aborted) return
      const position = await consumer.place(topic, h.partition, range.low)
      if (signal.aborted) return
      if (position < range.low || position > range.high) {
        // Others may have gone further since the end was looked at.
        const refusal = await ranges.refusal(h.partition, () => position, signal)
        if (signal.aborted) return
        if (refusal !== undefined) throw refusal
      }
      handled.set(h.partition, position)
      go(h, createQueue(topic, h.partition, position, options))
    } catch (error) {
      if (!(signal.aborted && error === signal.reason)) fail(error)
    } finally {
      h.placing = false
    }
  }

  /**
   * After a fetch that did not begin where it should: loud where the log has no such offset any more, else placed anew. Of
   * control records it is not told where the fetch began: a gap before them that is no loss is a hole.
   */
  async function astray(h: Held, queue: Queue, fetched: Fetched, isSkip: boolean): Promise<void> {
    const expected = queue.next
    halt(h)
    logger.warn(
      { topic, partition: h.partition, expected: `${expected}`, got: `${fetched.from}` },
      'a fetch went astray',
    )
    try {
      const refusal = await ranges.refusal(h.partition, () => expected, h.lost.signal)
      if (!isCurrent(h) || h.placing) return
      if (refusal !== undefined) throw refusal
      if (!isSkip || fetched.from < expected) return await place(h)
      queue.add(fetched)
      go(h, queue)
      hand()
    } catch (error) {
      fail(error)
    }
  }

  function take(partition: number, fetched: Fetched, isSkip: boolean): void {
    const h = held.get(partition)
    const queue = h?.queue
    if (h === undefined || queue === undefined) return
    if (fetched.from !== queue.next) {
      void astray(h, queue, fetched, isSkip)
      return
    }
    queue.add(fetched)
    hand()
    if (!queue.full || h.paused || h.queue !== queue) return
    h.paused = true
    fetching.pause(partition)
  }

  function refuse(partition: number, from: bigint, refusal: unknown): void {
    const h = held.get(partition)
    const queue = h?.queue
    if (h === undefined || queue === undefined) return
    if (from !== queue.next) {
      void astray(h, queue, { from, next: from, end: from, messages: [] }, false)
      return
    }
    h.refusal = refusal
    fetching.pause(partition)
    hand()
  }

  async function handle(one: InHand, batch: Batch): Promise<void> {
    const { h } = one
    try {
      const result = await consumer.handle(batch, h.lost.signal, () => {
        one.waits = true
        hand()
      })
      if (!isCurrent(h)) return
      if (result === 'committed') {
        h.moves = 0
        handled.set(h.partition, batch.next)
      } else if (!h.placing) {
        // Those that waited are moved together: that is one time. The placing waits for this very batch to be over.
        h.moves += 1
        void place(h)
      }
    } catch (error) {
      // Throwing the signal's own reason is a way of giving up, not a failure.
      if (!(h.lost.signal.aborted && error === h.lost.signal.reason)) fail(error)
    }
  }

  /** Hands over what waits, the partition that was served longest ago first. */
  function hand(): void {
    // One that is served goes to the end of the line, where it is busy and passed over.
    for (const h of held.values()) {
      if (lanes() >= options.concurrency || !parts.mayHand()) return
      const before = of(h.partition)
      if (before.some((one) => one.h !== h || !one.waits)) continue
      const batch = h.queue?.take()
      if (batch === undefined) {
        if (h.refusal !== undefined && before.length === 0) fail(h.refusal)
        continue
      }
      held.delete(h.partition)
      held.set(h.partition, h)
      if (h.paused && h.refusal === undefined && h.queue?.full === false) {
        h.paused = false
        fetching.resume(h.partition)
      }
      const one: InHand = { h, waits: false, over: Promise.resolve() }
      inHand.add(one)
      one.over = handle(one, batch).finally(() => {
        inHand.delete(one)
        // Not in the same turn: a consumer that always answers at once would keep the process from everything else.
        setImmediate(hand)
      })
    }
  }

  async function idle(): Promise<void> {
    while (inHand.size > 0) await Promise.all([...inHand].map((one) => one.over))
  }

  async function revoke(): Promise<void> {
    for (const h of held.values()) {
      h.lost.abort()
      halt(h)
    }
    held.clear()
    handled.clear()
    await Promise.race([idle(), sleep(parts.patienceMs, undefined, { ref: false })])
  }

  return {
    held: () => [...held.keys()].sort((a, b) => a - b),
    handled,
    give(given) {
      void revoke()
      for (const partition of given) {
        const lost = new AbortController()
        const h: Held = {
          partition,
          lost,
          queue: undefined,
          placing: false,
          moves: 0,
          paused: false,
          refusal: undefined,
        }
        held.set(partition, h)
        void place(h)
      }
    },
    revoke,
    idle,
    fetched: (partition, fetched) => take(partition, fetched, false),
    skipped: (partition, from, next, end) => take(partition, { from, next, end, messages: [] }, true),
    unreadable: refuse,
    async check() {
      // Who could not hand over when a batch was ready, and may by now.
      hand()
      const looks = [...held.values()].map(async (h) => {
        const position = (): bigint | undefined => (isCurrent(h) ? h.queue?.next : undefined)
        const refusal = await ranges.refusal(h.partition, position, h.lost.signal)
        if (refusal !== undefined && isCurrent(h)) throw refusal
      })
      await Promise.all(looks)
    },
  }
}
