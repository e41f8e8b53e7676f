// Whether the brokers can be reached at all, asked before anything stands on them: a wrong address is said and not waited for.
import { setTimeout as sleep } from 'node:timers/promises'
import { TouchstoneError } from '../../errors.ts'
import type { Logger } from '../../telemetry.ts'
import { BRIEF_RETRY, createKafka, hangUp } from './client.ts'
import type { KafkaConnection } from './connection.ts'
import { explained, reasonOf } from './errors.ts'

export interface ReachOptions {
  readonly logger: Logger
  /** How long brokers are waited for that do not answer yet, in milliseconds. */
  readonly patienceMs: number
  /** Told once, when the first try was in vain. */
  readonly waiting?: (message: string) => void
}

// One that answers does so in tens of milliseconds; a handshake on a busy machine takes up to a second.
const TRY_MS = 3_000
const PAUSE_MS = 300

/** @throws TouchstoneError `log-unavailable` after `patienceMs`; `log-forbidden`, at once, where they refuse us. */
export async function reachBrokers(connection: KafkaConnection, options: ReachOptions): Promise<void> {
  const { patienceMs, waiting = () => undefined } = options
  const until = performance.now() + patienceMs
  // What a try met is said at the end, once; the client would say it at every turn.
  const logger = options.logger.child({}, { level: 'silent' })
  const kafka = createKafka(connection, logger, {
    retry: BRIEF_RETRY,
    connectionTimeoutMs: TRY_MS,
    requestTimeoutMs: TRY_MS,
  })
  // Also a broker that takes the connection and says nothing gets no more than that.
  const over = setTimeout(() => hangUp(kafka), patienceMs)
  const brokers = `KAFKA_BROKERS (${connection.brokers.join(', ')})`
  try {
    for (let tries = 0; ; tries += 1) {
      const admin = kafka.admin()
      try {
        await admin.connect()
        await admin.disconnect()
        return
      } catch (error) {
        admin.disconnect().catch(() => undefined)
        const said = explained(error)
        if (said instanceof TouchstoneError && said.code !== 'log-unavailable') throw said
        if (performance.now() + PAUSE_MS >= until)
          throw new TouchstoneError(
            'log-unavailable',
            `None of ${brokers} can be reached: ${performance.now() < until ? reasonOf(error) : 'no answer'}`,
            {
              cause: error,
            },
          )
        if (tries === 0) waiting(`Waiting for ${brokers}: ${reasonOf(error)}`)
        await sleep(PAUSE_MS)
      }
    }
  } finally {
    clearTimeout(over)
    hangUp(kafka)
  }
}
