// The consuming side of the log on Kafka: a member of the group as long as it lives, also through brokers that are away.
import { messageOf } from '../../errors.ts'
import type { Consumer, Log, SubscribeOptions, Subscription } from '../../pipeline/log/ports.ts'
import type { Logger } from '../../telemetry.ts'
import type { KafkaConnection } from './connection.ts'
import { explained, isTransient } from './errors.ts'
import { createMember, type Member, type MemberEvents } from './subscription-member.ts'
import { createPartitions } from './subscription-partitions.ts'
import { createRanges, rest } from './subscription-range.ts'

export interface SubscriptionParts {
  readonly connection: KafkaConnection
  readonly logger: Logger
  /** A member that is not heard of for so long loses its partitions. */
  readonly sessionTimeoutMs: number
  /** Of the log. */
  readonly ranges: Log['ranges']
  /** Called when the subscription is over, before `done` settles. */
  readonly ended: (subscription: Subscription) => void
  /** How often is looked for new partitions of the topic. */
  readonly metadataAgeMs?: number
  /** How often lag tools are told, and is looked whether retention overtook the reading. */
  readonly watchMs?: number
}

const METADATA_AGE_MS = 10_000
const WATCH_MS = 2_000
// The brokers count from when they heard this member, and it from when it heard of that.
const VALID_SHARE = 0.9
const LONGEST_PAUSE_MS = 5_000
/** Brokers give 55 MiB an answer unless they are told otherwise; the field itself holds 2 GiB. */
const MOST_FETCHED = 64 * 1024 * 1024
// By then the group has forgotten a member that it did not hear of, and an answer that is still under way is too late.
const FORGOTTEN_SHARE = 1.2

/*
 * Guarantee: of two members that can reach the brokers no two hand over batches of one partition at once, provided `handle`
 * gives up within the session when it is told `lost`; whoever is late, or was frozen, is refused by the consumer's own
 * compare-and-set. In memory are at most `concurrency` batches in hand, those that wait (as many as the consumer allows), and
 * of each partition held one batch and one fetch.
 */
export function createSubscription(
  parts: SubscriptionParts,
  options: SubscribeOptions,
  consumer: Consumer,
): Subscription {
  const { logger, sessionTimeoutMs, metadataAgeMs = METADATA_AGE_MS, watchMs = WATCH_MS } = parts
  const { topic, group, maxBytes, concurrency } = options
  const validMs = sessionTimeoutMs * VALID_SHARE
  const stopping = new AbortController()
  let member: Member | undefined
  /** Of this member only, which is then followed by another one. */
  let forgotten = new AbortController()
  /** It is in the group, as far as it knows, and not about to join anew. */
  let inGroup = false
  let failure: { readonly error: unknown } | undefined
  let renewed = performance.now()
  let polled = renewed
  /** What the newest generation gave, to be taken up again when the brokers were only away for too long. */
  let given: readonly number[] = []
  let expired = false

  const isValid = (): boolean => performance.now() - renewed < validMs
  const partitions = createPartitions({
    options,
    consumer,
    ranges: createRanges(topic, parts.ranges, logger),
    logger,
    patienceMs: validMs,
    fetching: {
      pause: (partition) => member?.pause(partition),
      resume: (partition) => member?.resume(partition),
      place: (partition, offset) => member?.place(partition, offset),
    },
    mayHand: () => !stopping.signal.aborted && isValid(),
    fail,
  })

  function stop(): void {
    stopping.abort()
    void partitions.revoke()
  }

  function fail(error: unknown): void {
    failure ??= { error }
    stop()
  }

  const waiting = (error: unknown): void =>
    logger.warn({ err: messageOf(error), topic }, 'the brokers are away, waiting for them')

  const events: MemberEvents = {
    joined(assigned) {
      given = assigned
      expired = false
      inGroup = true
      if (!stopping.signal.aborted) partitions.give(assigned)
    },
    async leaving() {
      inGroup = false
      await partitions.revoke()
    },
    fetched: partitions.fetched,
    skipped: partitions.skipped,
    unreadable: partitions.unreadable,
    renewed() {
      renewed = performance.now()
      if (!expired || stopping.signal.aborted) return
      // The same generation goes on: nobody else was given them.
      expired = false
      partitions.give(given)
    },
    polled() {
      polled = performance.now()
    },
    trouble: waiting,
  }

  /** Whoever is not heard of has nothing: the partitions may be with others. */
  function expire(): void {
    if (isValid() || expired || partitions.held().length === 0) return
    expired = true
    logger.warn({ topic, partitions: given }, 'the brokers do not answer: the partitions may be with others')
    void partitions.revoke()
  }

  /**
   * kafkajs asks a coordinator that died for a minute before it looks for the one that took over; a new member finds it at
   * once.
   */
  function giveUpOnCoordinator(): void {
    if (!inGroup || performance.now() - renewed < FORGOTTEN_SHARE * sessionTimeoutMs) return
    inGroup = false
    logger.warn({ topic }, 'the coordinator of the group is gone, joining anew')
    forgotten.abort()
  }

  async function live(): Promise<void> {
    for (let pause = 100; !stopping.signal.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      const settings = {
        ...parts,
        topic,
        group,
        metadataAgeMs,
        maxBytes,
        maxFetchBytes: Math.min(maxBytes * concurrency, MOST_FETCHED),
      }
      member = createMember(settings, events)
      forgotten = new AbortController()
      inGroup = false
      try {
        await member.live(AbortSignal.any([stopping.signal, forgotten.signal]))
      } catch (error) {
        if (!isTransient(error)) throw explained(error)
        waiting(error)
      } finally {
        void partitions.revoke()
        // The group keeps this member until the last batch in hand is finished.
        await partitions.idle()
        await member.leave()
      }
      await rest(pause, stopping.signal)
    }
  }

  async function run(): Promise<void> {
    const timers = [
      every(Math.max(50, sessionTimeoutMs / 20), async () => {
        expire()
        giveUpOnCoordinator()
      }),
      every(watchMs, async () => partitions.check().catch((error: unknown) => fail(explained(error)))),
      every(watchMs, async () => {
        await member?.commit(partitions.handled).catch((error: unknown) => {
          logger.debug({ err: messageOf(error), topic }, 'lag tools were not told')
        })
      }),
    ]
    try {
      await live()
    } finally {
      for (const timer of timers) clearInterval(timer)
    }
  }

  const finished = run()
    .catch(fail)
    .then(() => parts.ended(subscription))
  const subscription: Subscription = {
    done: finished.then(() => {
      if (failure !== undefined) throw failure.error
    }),
    assigned: partitions.held,
    health: () => ({ renewedMs: performance.now() - renewed, polledMs: performance.now() - polled }),
    async stop() {
      stop()
      await finished
    },
  }
  return subscription
}

/** Not again while the last one is still at work. */
function every(ms: number, work: () => Promise<void>): NodeJS.Timeout {
  let working = false
  return setInterval(() => {
    if (working) return
    working = true
    void work().finally(() => {
      working = false
    })
  }, ms)
}
