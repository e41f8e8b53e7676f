// The one Kafka of a test run: the given one, else our own, else one in a container, else what to install to get one.
import { startCluster } from './broker.ts'
import { startContainer } from './container.ts'
import { untilGivenAnswers } from './given.ts'
import { areCached } from './jars.ts'
import { findJava, hasMaven } from './java-home.ts'
import { runProgram } from './program.ts'
import { chosenVersion, type KafkaVersion } from './versions.ts'

/**
 * What tests find by `inject('kafka')`; `ownBrokers`: whether they may start, kill and secure brokers of their own, and use
 * Kafka's Java client.
 */
export type KafkaOfRun =
  | { readonly brokers: readonly string[]; readonly version: string; readonly ownBrokers: boolean }
  | { readonly missing: string }

export interface SharedKafka {
  readonly kafka: KafkaOfRun
  stop(): Promise<void>
}

/** What a machine has; asked in this order, and only as far as needed. */
export interface Machine {
  /** KAFKA_BROKERS. */
  readonly given: string | undefined
  /** A JDK 17 or newer, and Maven or jars that it fetched before. */
  canRunBrokers(): Promise<boolean>
  /** An engine that answers: a `docker` on the PATH says nothing about that. */
  hasEngine(): Promise<boolean>
}

export type Way = 'given' | 'own' | 'container' | 'none'

/** Our own before containers: quicker by seconds, and only those can be killed and started again on the same port. */
export async function chooseWay(machine: Machine): Promise<Way> {
  if (machine.given !== undefined && machine.given.trim() !== '') return 'given'
  if (await machine.canRunBrokers()) return 'own'
  return (await machine.hasEngine()) ? 'container' : 'none'
}

export const HOW_TO_GET_JAVA = 'install a JDK 17 or newer and Maven'
const HOW_TO_GET_KAFKA = `${HOW_TO_GET_JAVA}, or start a Docker engine, or say in KAFKA_BROKERS where a Kafka without log-in is`

/** An engine that answers takes a second or two; a `docker` whose engine hangs would hold up the run for ever. */
const ENGINE_MS = 10_000

/** Rejects when Kafka was given or could be had, and does not answer, or is set up so that the tests cannot use it. */
export async function sharedKafka(given: string | undefined): Promise<SharedKafka> {
  const version = chosenVersion()
  const canRunBrokers = async () =>
    (await findJava()) !== undefined && ((await areCached(version)) || (await hasMaven()))
  const way = await chooseWay({ given, canRunBrokers, hasEngine: () => hasEngine() })
  switch (way) {
    case 'given': {
      const brokers = (given ?? '').split(',').map((broker) => broker.trim())
      await untilGivenAnswers(brokers)
      return { kafka: { brokers, version: 'given', ownBrokers: await canRunBrokers() }, stop: async () => {} }
    }
    case 'own': {
      const { brokers, stop } = await startCluster({ version })
      return { kafka: { brokers, version, ownBrokers: true }, stop }
    }
    case 'container':
      return inContainer(version)
    case 'none':
      return { kafka: { missing: HOW_TO_GET_KAFKA }, stop: async () => {} }
  }
}

async function inContainer(version: KafkaVersion): Promise<SharedKafka> {
  const { brokers, stop } = await startContainer(version)
  return { kafka: { brokers, version, ownBrokers: false }, stop }
}

/** Whether `docker` and its engine answer in time. */
export async function hasEngine(limitMs = ENGINE_MS): Promise<boolean> {
  return runProgram('docker', ['info'], 'looking for a Docker engine', limitMs).then(
    () => true,
    () => false,
  )
}
