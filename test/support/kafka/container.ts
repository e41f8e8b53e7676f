// A Kafka in a container, for machines with a Docker engine and without Java.
import { freePort } from './ports.ts'
import { SHORTEST_SESSION_MS } from './properties.ts'
import { untilReady } from './ready.ts'
import type { KafkaVersion } from './versions.ts'

/** A first pull of the image is 400 MB. */
const START_MS = 180_000

/** The project's own image with the settings of our brokers; the engine's helper container removes it when we are gone. */
export async function startContainer(
  version: KafkaVersion,
): Promise<{ readonly brokers: readonly string[]; stop(): Promise<void> }> {
  // Only here: who has Java never loads it.
  const { GenericContainer, Wait } = await import('testcontainers')
  // The same port inside and outside, for a broker must know under which one its clients see it.
  const port = await freePort()
  const container = await new GenericContainer(`apache/kafka:${version}`)
    .withExposedPorts({ container: port, host: port })
    .withEnvironment({
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_NODE_ID: '1',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_LISTENERS: `PLAIN://0.0.0.0:${port},CONTROLLER://localhost:9093`,
      KAFKA_ADVERTISED_LISTENERS: `PLAIN://127.0.0.1:${port}`,
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_INTER_BROKER_LISTENER_NAME: 'PLAIN',
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAIN:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS: String(SHORTEST_SESSION_MS),
      KAFKA_TRANSACTION_ABORT_TIMED_OUT_TRANSACTION_CLEANUP_INTERVAL_MS: '1000',
    })
    .withWaitStrategy(Wait.forListeningPorts())
    .withStartupTimeout(START_MS)
    .start()
  const address = `${container.getHost()}:${port}`
  const end = Date.now() + START_MS
  await untilReady(address, 1, () => {
    if (Date.now() > end) throw new Error(`Kafka in a container does not answer at ${address}`)
  })
  return { brokers: [address], stop: async () => void (await container.stop()) }
}
