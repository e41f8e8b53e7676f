// The log of this deployment: Kafka, or tables of the store's PostgreSQL.
import { reachBrokers } from '../adapters/kafka-log/reach.ts'
import { kafkaConnection } from './kafka.ts'
import { openKafkaLog } from './log-in-kafka.ts'
import { openPostgresLog } from './log-in-postgres.ts'
import type { LogOptions, OpenLog } from './open-log.ts'

export async function openLog(options: LogOptions): Promise<OpenLog> {
  const connection = await kafkaConnection(options.config, options.program)
  return connection === undefined ? openPostgresLog(options) : openKafkaLog(connection, options)
}

/**
 * Before anything is started: whether the settings lead to brokers. Later on brokers that are away are waited for; but who
 * starts with a wrong address or password should be told. Nothing to ask where the log lives in PostgreSQL.
 * @throws TouchstoneError `log-unavailable`, `log-forbidden`.
 */
export async function reachLog(
  { config, program, telemetry }: Pick<LogOptions, 'config' | 'program' | 'telemetry'>,
  patienceMs: number,
  say: (message: string) => void,
): Promise<void> {
  const connection = await kafkaConnection(config, program)
  if (connection !== undefined) await reachBrokers(connection, { logger: telemetry.log, patienceMs, waiting: say })
}
