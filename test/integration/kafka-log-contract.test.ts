// Real: the Kafka of the run, processes that are killed and frozen. The log on Kafka keeps the contract of the port `Log`.
import { describe } from 'vitest'
import { describeLog } from '../contracts/log.ts'
import { kafkaOrSkip } from '../support/kafka/kafka.ts'
import { startKafkaLog } from './kafka-log-harness.ts'

const brokers = kafkaOrSkip() ?? []

describe.runIf(brokers.length > 0)('the brokers of the run', () => {
  describeLog('Kafka', async () => startKafkaLog(brokers))
})
