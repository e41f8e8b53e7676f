// A member of a group at work: places its partitions, fetches ahead, hands batches over, and carries on after a dead database.
import type { Batch, Consumer, SubscribeOptions, Subscription } from '../../pipeline/log/ports.ts'
import { createAssignment, type Held } from './assignment.ts'
import { createPauses, isTransient, rest, type Pools } from './connection.ts'
import { assertInRange, fetchBatches } from './fetch.ts'
import type { Hints } from './hints.ts'
import type { Topic, Topics } from './topics.ts'

export interface SubscriptionParts {
  readonly pools: Pools
  readonly topics: Topics
  readonly hints: Hints
  readonly leaseMs: number
  readonly pollMs: number
  /** Told of failures that are waited out, for the log file. */
  readonly onError: (error: Error) => void
  /** Called when the subscription is over, before `done` settles. */
  readonly ended: (subscription: Subscription) => void
}

interface InHand {
  readonly h: Held
  /** For somebody else: it takes no lane. */
  waits: boolean
  over: Promise<void>
}

/*
 * Guarantee: between two members that can reach the database a partition is never handled twice at once; a frozen one may
 * finish what it began after it lost the lease, and the consumer's own compare-and-set must refuse that.
 * In memory are at most `concurrency` batches being handled and as many fetched ahead, one of each per partition; and those
 * that wait, as many as the consumer allows.
 */
export function createSubscription(
  parts: SubscriptionParts,
  options: SubscribeOptions,
  consumer: Consumer,
): Subscription {
  const { pools, topics, hints, leaseMs, pollMs, onError } = parts
  const stopping = new AbortController()
  const stopped = new Promise<void>((resolve) =>
    stopping.signal.addEventListener('abort', () => resolve(), { once: true }),
  )
  const over = new AbortController()
  const running = new Set<InHand>()
  let assignment: ReturnType<typeof createAssignment> | undefined
  let failure: { readonly error: unknown } | undefined
  let woken = new AbortController()
  const began = performance.now()
  let polled = began

  const holding = (): Held[] => [...(assignment?.held.values() ?? [])]
  const isHeld = (h: Held): boolean => assignment?.held.get(h.partition) === h
  const wake = (): void => woken.abort()
  const trouble = (error: unknown): void => onError(error instanceof Error ? error : new Error(String(error)))

  function stop(): void {
    stopping.abort()
    for (const h of holding()) {
      h.ready = undefined
      h.lost.abort()
    }
    wake()
  }

  function fail(error: unknown): void {
    failure ??= { error }
    stop()
  }

  /** Asks the consumer where to begin. A dead store is waited for; after several `moved` in a row, a little first. */
  async function place(topic: Topic, h: Held): Promise<void> {
    h.placing = true
    const pauses = createPauses()
    if (h.moves > 1) await rest(Math.min(100 * 2 ** (h.moves - 2), 5_000), h.lost.signal)
    while (!h.lost.signal.aborted) {
      try {
        const ranges = await topics.ranges(topic.name)
        const low = ranges.find((range) => range.partition === h.partition)?.low ?? 0n
        if (h.lost.signal.aborted) break
        h.position = await consumer.place(topic.name, h.partition, low)
        break
      } catch (error) {
        if (!isTransient(error)) {
          fail(error)
          break
        }
        trouble(error)
        await pauses.wait(h.lost.signal)
      }
    }
    h.placing = false
    wake()
  }

  async function handle(one: InHand, batch: Batch): Promise<void> {
    const { h } = one
    try {
      const result = await consumer.handle(batch, h.lost.signal, () => {
        one.waits = true
        hand()
        wake()
      })
      // Those that waited are moved together: that is one time.
      if (h.position !== undefined) h.moves = result === 'moved' ? h.moves + 1 : 0
      if (result === 'moved') {
        h.ready = undefined
        h.position = undefined
      }
    } catch (error) {
      // Throwing the signal's own reason is a way of giving up, not a failure.
      if (!(h.lost.signal.aborted && error === h.lost.signal.reason)) fail(error)
    } finally {
      running.delete(one)
      h.inHand.delete(one)
      if (h.leavingSince !== undefined) assignment?.wake()
      hand()
      wake()
    }
  }

  /** One batch of a partition at a time, also across a loss and a return; not counted is what only waits. */
  const isBusy = (h: Held): boolean =>
    [...running].some((one) => one.h.partition === h.partition && !(one.h === h && one.waits))
  const lanes = (): number => [...running].filter((one) => !one.waits).length

  /** Hands over what is ready, the longest waiting first. */
  function hand(): void {
    if (stopping.signal.aborted || assignment === undefined || !assignment.valid()) return
    for (const h of ready) {
      if (lanes() >= options.concurrency) return
      if (!isHeld(h) || h.ready === undefined) {
        ready.delete(h)
        continue
      }
      if (h.leavingSince !== undefined) {
        // Fetched for nothing, unless it stays after all: then it is fetched again.
        h.position = h.ready.from
        h.ready = undefined
        ready.delete(h)
        continue
      }
      if (isBusy(h)) continue
      const batch = h.ready
      h.ready = undefined
      ready.delete(h)
      const one: InHand = { h, waits: false, over: Promise.resolve() }
      running.add(one)
      h.inHand.add(one)
      one.over = handle(one, batch)
    }
  }
  const ready = new Set<Held>()

  /** Fetches for the partitions that have nothing ready; answers whether there may be more at once. */
  async function fetch(topic: Topic): Promise<boolean> {
    const waiting = [...ready].filter((h) => isHeld(h) && h.ready !== undefined).length
    const slots = options.concurrency - waiting
    const hungry = holding().filter(
      (h) => h.position !== undefined && h.ready === undefined && h.leavingSince === undefined,
    )
    if (slots <= 0 || hungry.length === 0 || assignment?.valid() !== true) return false
    // Every round begins after the partition that was served last, so that a busy one does not starve the others.
    hungry.sort((a, b) => turn(a) - turn(b))
    const asked = new Map(hungry.map((h) => [h.partition, { h, position: h.position ?? 0n }]))
    const limits = { batches: slots, maxRecords: options.maxRecords, maxBytes: options.maxBytes }
    const answer = await fetchBatches(
      pools.read,
      topic,
      [...asked].map(([partition, { position }]) => ({ partition, position })),
      limits,
    )
    for (const fetched of answer) {
      const { batch } = fetched
      served.set(batch.partition, (rounds += 1))
      const { h, position } = asked.get(batch.partition) ?? {}
      if (h === undefined || !isHeld(h) || h.position !== position || h.ready !== undefined) continue
      // Who froze and lost the partition may be far behind what is held: only an owner's position counts.
      if (!assignment.valid()) break
      assertInRange(fetched)
      h.ready = batch
      h.position = batch.next
      ready.add(h)
    }
    hand()
    return answer.length > 0
  }
  const served = new Map<number, number>()
  let rounds = 0
  const turn = (h: Held): number => served.get(h.partition) ?? 0

  async function work(topic: Topic): Promise<void> {
    const pauses = createPauses()
    while (!stopping.signal.aborted) {
      woken = new AbortController()
      const { signal } = woken
      try {
        for (const h of holding()) {
          if (h.position === undefined && !h.placing && h.inHand.size === 0) void place(topic, h)
        }
        const more = await fetch(topic)
        polled = performance.now()
        pauses.reset()
        // Some milliseconds less than the poll, at random, so that many workers do not ask at once.
        if (!more) await rest(pollMs * (0.75 + Math.random() / 4), signal)
      } catch (error) {
        if (!isTransient(error)) throw error
        trouble(error)
        await pauses.wait(stopping.signal)
      }
    }
  }

  async function find(): Promise<Topic | undefined> {
    const pauses = createPauses()
    while (!stopping.signal.aborted) {
      try {
        return await topics.get(options.topic)
      } catch (error) {
        if (!isTransient(error)) throw error
        trouble(error)
        await pauses.wait(stopping.signal)
      }
    }
    return undefined
  }

  async function run(): Promise<void> {
    const topic = await find()
    if (topic === undefined) return
    const { topicId, partitions } = topic
    const member = { pool: pools.lease, group: options.group, topicId, member: crypto.randomUUID(), leaseMs }
    const members = createAssignment(member, partitions, stopping.signal, {
      changed: wake,
      announce: () => hints.send('members', topicId),
      trouble,
    })
    assignment = members
    const silence = [hints.on('records', topicId, wake), hints.on('members', topicId, () => members.wake())]
    const leases = members.run(over.signal).catch(fail)
    // A fetch that a silent database never answers must not keep anybody from stopping.
    await Promise.race([work(topic).catch(fail), stopped])
    // The leases are renewed until the last batch in hand is finished.
    while (running.size > 0) await Promise.all([...running].map(async (one) => one.over))
    over.abort()
    await leases
    for (const stopListening of silence) stopListening()
  }

  const finished = run()
    .catch(fail)
    .then(() => parts.ended(subscription))
  const subscription: Subscription = {
    done: finished.then(() => {
      if (failure !== undefined) throw failure.error
    }),
    assigned: () =>
      holding()
        .map((h) => h.partition)
        .sort((a, b) => a - b),
    health: () => ({
      renewedMs: assignment?.renewedMs() ?? performance.now() - began,
      polledMs: performance.now() - polled,
    }),
    async stop() {
      stop()
      await finished
    },
  }
  return subscription
}
