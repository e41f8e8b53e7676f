// What is there of the topics against what this deployment wants of them, each deviation with its cure.
import type { Pool } from 'pg'
import type { KafkaConnection } from '../adapters/kafka-log/connection.ts'
import { examineTopics, MISSING, type ExaminedTopic } from '../adapters/kafka-log/examine-topics.ts'
import { findTopics } from '../adapters/postgres-log/examine-topics.ts'
import type { Config } from '../config.ts'
import type { Telemetry } from '../telemetry.ts'
import { wantedTopics, type WantedTopic } from './topics.ts'

/** Every topic, on the log that the settings name; without Kafka and without a database there is nothing to look at. */
export async function checkTopics(
  config: Config,
  connection: KafkaConnection | undefined,
  pool: Pool | undefined,
  telemetry: Telemetry,
): Promise<ExaminedTopic[]> {
  if (connection !== undefined)
    return examineTopics(connection, wantedTopics(config), {
      logger: telemetry.log,
      replication: config.KAFKA_REPLICATION,
    })
  return pool === undefined ? [] : checkInPostgres(pool, wantedTopics(config))
}

async function checkInPostgres(pool: Pool, wanted: readonly WantedTopic[]): Promise<ExaminedTopic[]> {
  const found = await findTopics(
    pool,
    wanted.map((one) => one.topic),
  )
  return wanted.map(({ topic, partitions, retentionHours }) => {
    const there = found.get(topic)
    if (there === undefined) return { topic, settings: [MISSING] }
    const hours = (n: number) => `${n} h`
    return {
      topic,
      settings: [
        {
          setting: 'partitions',
          found: String(there.partitions),
          wanted: String(partitions),
          ...(there.partitions === partitions
            ? { state: 'ok' as const }
            : {
                state: 'warning' as const,
                cure: 'nothing to do: a topic keeps its partitions; TOUCHSTONE_PARTITIONS is for those that are made',
              }),
        },
        {
          setting: 'retention',
          found: hours(there.retentionHours),
          wanted: hours(retentionHours),
          ...(there.retentionHours === retentionHours
            ? { state: 'ok' as const }
            : {
                state: 'warning' as const,
                cure: 'run `touchstone topics`, or start Touchstone: it follows by itself',
              }),
        },
      ],
    }
  })
}
