// A store that read its listings from the log in PostgreSQL must not go on at the same offsets of a Kafka: they are other records.
import type { Pool } from 'pg'
import { readOffsets } from '../adapters/postgres/examine.ts'
import { readEnds } from '../adapters/postgres-log/examine-topics.ts'
import { TouchstoneError } from '../errors.ts'

/**
 * For a store whose log is now in Kafka: whether its offsets are those of the log in its own tables. They are not where one
 * lies beyond what these hold: who once started without KAFKA_BROKERS by mistake has records there, and reads from Kafka.
 * @throws TouchstoneError `settings-invalid`.
 */
export async function assertNotMoved(
  pool: Pool,
  inputs: readonly { readonly topic: string; readonly group: string }[],
): Promise<void> {
  for (const input of inputs) {
    const ends = await readEnds(pool, input.topic)
    const offsets = [...(await readOffsets(pool, input))].filter(([, next]) => next > 0n)
    if (offsets.length === 0 || offsets.some(([partition, next]) => next > (ends.get(partition) ?? 0n))) continue
    throw new TouchstoneError(
      'settings-invalid',
      `KAFKA_BROKERS: this database has read ${input.topic} from the log in its own tables, and would pass over as many ` +
        `records of the one in Kafka without looking at them. Choose a new TOUCHSTONE_TOPIC_PREFIX for Kafka, or an empty database`,
    )
  }
}
