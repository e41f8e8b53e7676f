// Real: a Kafka 3.9.2 of its own, processes that are killed and frozen. The same contract on the oldest line that is promised.
import { describe } from 'vitest'
import { describeLog } from '../contracts/log.ts'
import { startCluster } from '../support/kafka/broker.ts'
import { ownBrokersOrSkip } from '../support/kafka/kafka.ts'
import { startKafkaLog } from './kafka-log-harness.ts'

describe.runIf(ownBrokersOrSkip())('brokers of our own', () => {
  describeLog('Kafka 3.9.2', async () => {
    const cluster = await startCluster({ version: '3.9.2' })
    const harness = await startKafkaLog(cluster.brokers)
    return {
      ...harness,
      async close() {
        await harness.close()
        await cluster.stop()
      },
    }
  })
})
