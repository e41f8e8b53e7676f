// The one Kafka of a test run: the given one, else our own, else one in a container, else what to install to get one.
import { setTimeout as sleep } from 'node:timers/promises'
import { startCluster } from './broker.ts'
import { startContainer } from './container.ts'
import { areCached } from './jars.ts'
import { findJava, hasMaven } from './java-home.ts'
import { runProgram } from './program.ts'
import { brokersAt } from './ready.ts'
import { chosenVersion, type KafkaVersion } from './versions.ts'

/** What tests find by `inject('kafka')`; `ownBrokers`: whether they may start, kill and secure brokers of their own. */
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
  /** Java 17 or newer, and Maven or jars that it fetched before. */
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

export const HOW_TO_GET_KAFKA =
  'install Java 17 or newer and Maven, or start a Docker engine, or say in KAFKA_BROKERS where a Kafka without log-in is'

/** A given broker answers at once or is the wrong one. */
const GIVEN_MS = 10_000

/** Rejects when Kafka was given or could be had, and does not answer. */
export async function sharedKafka(given: string | undefined): Promise<SharedKafka> {
  const version = chosenVersion()
  const canRunBrokers = async () =>
    (await findJava()) !== undefined && ((await areCached(version)) || (await hasMaven()))
  const way = await chooseWay({ given, canRunBrokers, hasEngine })
  switch (way) {
    case 'given':
      return useGiven(
        (given ?? '').split(',').map((broker) => broker.trim()),
        await canRunBrokers(),
      )
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

async function useGiven(brokers: readonly string[], ownBrokers: boolean): Promise<SharedKafka> {
  const end = Date.now() + GIVEN_MS
  for (;;) {
    try {
      await brokersAt(brokers)
      return { kafka: { brokers, version: 'given', ownBrokers }, stop: async () => {} }
    } catch (cause) {
      if (Date.now() > end)
        throw new Error(`KAFKA_BROKERS is set and nothing answers there within ${GIVEN_MS / 1000} s`, { cause })
      await sleep(200)
    }
  }
}

async function inContainer(version: KafkaVersion): Promise<SharedKafka> {
  const { brokers, stop } = await startContainer(version)
  return { kafka: { brokers, version, ownBrokers: false }, stop }
}

async function hasEngine(): Promise<boolean> {
  return runProgram('docker', ['info'], 'looking for a Docker engine').then(
    () => true,
    () => false,
  )
}
