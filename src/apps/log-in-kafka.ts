// The log in Kafka: decisions go out through fenced writers, one range of partitions each, whichever worker holds its lease.
import type { KafkaConnection } from '../adapters/kafka-log/connection.ts'
import { explained, isOfBrokers, isTransient } from '../adapters/kafka-log/errors.ts'
import { createFencedLog } from '../adapters/kafka-log/fenced-log.ts'
import { createKafkaLog } from '../adapters/kafka-log/kafka-log.ts'
import { createRangeOutbox } from '../adapters/postgres/outbox-ranges.ts'
import { isTransient as isTransientStore } from '../adapters/postgres-log/connection.ts'
import type { Config } from '../config.ts'
import { messageOf, TouchstoneError } from '../errors.ts'
import type { Log } from '../pipeline/log/ports.ts'
import type { Publisher } from '../pipeline/ports.ts'
import { createRangePublisher } from '../pipeline/publishing/range-publisher.ts'
import { placesOf, RANGES } from '../pipeline/publishing/ranges.ts'
import type { Telemetry } from '../telemetry.ts'
import type { LogOptions, OpenLog } from './open-log.ts'

/** Connects nothing until it is needed. */
export const kafkaLog = (connection: KafkaConnection, config: Config, telemetry: Telemetry): Log =>
  createKafkaLog({
    connection,
    logger: telemetry.log,
    sessionTimeoutMs: config.KAFKA_SESSION_TIMEOUT_MS,
    replication: config.KAFKA_REPLICATION,
  })

export function openKafkaLog(connection: KafkaConnection, { config, telemetry }: LogOptions): OpenLog {
  const log = kafkaLog(connection, config, telemetry)
  const prefix = config.TOUCHSTONE_TOPIC_PREFIX
  let fenced: ReturnType<typeof createFencedLog> | undefined
  return {
    log,
    isTransient: (error) => isTransient(error) || isTransientStore(error),
    explained(error) {
      // Both carry the codes of the network: whoever mistakes one for the other sends people to the wrong machine.
      const said = isOfBrokers(error) || !isTransientStore(error) ? explained(error) : error
      if (said instanceof TouchstoneError || !isTransientStore(said)) return said
      return new TouchstoneError('database-unavailable', `The database cannot be reached: ${messageOf(said)}`, {
        cause: error,
      })
    },
    // Kafka does so by itself.
    prune: async () => 0,
    async publishers({ pool, owner, topics }) {
      const ranges = await createRangeOutbox({ pool, topics, owner })
      const writing = (fenced ??= createFencedLog({ connection, logger: telemetry.log, prefix }))
      return Object.fromEntries(
        RANGES.map((range): [string, Publisher] => {
          const places = placesOf(range, ranges.places)
          return [
            `publisher-${range}`,
            createRangePublisher({ outbox: ranges, log: writing, range, places, telemetry }),
          ]
        }),
      )
    },
    async close() {
      await fenced?.close()
      await log.close()
    },
  }
}
