// Opens the log on Kafka for a process of its own; the argument is JSON of its options without the logger.
import { pino } from 'pino'
import { createKafkaLog, type KafkaLogOptions } from '../../src/adapters/kafka-log/kafka-log.ts'
import type { Log } from '../../src/pipeline/log/ports.ts'

export async function open(argument: string): Promise<Log> {
  const options = JSON.parse(argument) as Omit<KafkaLogOptions, 'logger'>
  return createKafkaLog({ ...options, logger: pino({ level: 'silent' }) })
}
