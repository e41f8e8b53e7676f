// The Kafkas that a story is told on: the one of the run, and the oldest that is promised.
import { startCluster } from './broker.ts'
import { kafkaOrSkip, ownBrokersOrSkip } from './kafka.ts'
import { chosenVersion, KAFKA_VERSIONS } from './versions.ts'

export interface KafkaLeg {
  readonly name: string
  /** Starts what the leg needs, to be stopped by the test; call it in `beforeAll`. */
  start(): Promise<StartedLeg>
}

export interface StartedLeg {
  readonly brokers: readonly string[]
  stop(): Promise<void>
}

/** None, said aloud, where there is no Kafka. A run that is on the oldest anyway has it once. */
export function kafkaLegs(): readonly KafkaLeg[] {
  const legs: KafkaLeg[] = []
  const brokers = kafkaOrSkip()
  if (brokers !== undefined) legs.push({ name: 'Kafka', start: async () => ({ brokers, stop: async () => undefined }) })
  const oldest = KAFKA_VERSIONS[KAFKA_VERSIONS.length - 1]
  if (oldest !== undefined && oldest !== chosenVersion() && ownBrokersOrSkip())
    legs.push({ name: `Kafka ${oldest}`, start: async () => startCluster({ version: oldest }) })
  return legs
}
