// Starts real Kafka brokers for a test: one or three, as processes of their own that end when the test does.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { classArchive } from './archive.ts'
import { removeAfterUs } from './guarded.ts'
import { kafkaJars } from './jars.ts'
import { findJava } from './java-home.ts'
import { newId, prepareNode, type BrokerProcess } from './node.ts'
import { freePort } from './ports.ts'
import type { Listener } from './properties.ts'
import { securedListeners, type Secured } from './secured.ts'
import { chosenVersion, type KafkaVersion } from './versions.ts'

export type { BrokerProcess } from './node.ts'
export type { Secured } from './secured.ts'
export type { KafkaVersion } from './versions.ts'

export interface ClusterOptions {
  /** What TOUCHSTONE_TEST_KAFKA says, else 4.1.2. */
  readonly version?: KafkaVersion | undefined
  /** Three: copies on all, two of which must have a record before it is acknowledged. */
  readonly nodes?: 1 | 3
  /** Added to the server.properties of every node, or in place of what is there. */
  readonly settings?: Readonly<Record<string, string>>
  /**
   * One `host:port` per node, of a proxy that listens already: each node gets one more listener, which sends its clients
   * there again. What the proxies must lead to is then in `behind`.
   */
  readonly advertise?: readonly string[]
  /** Opens listeners with TLS and log-in beside the plain one, see `secured`. */
  readonly security?: boolean
}

export interface KafkaCluster {
  readonly version: KafkaVersion
  /** `host:port` of the plain listeners. */
  readonly brokers: readonly string[]
  /** `host:port` of the listeners that advertise what `advertise` said; empty without. */
  readonly behind: readonly string[]
  /** With `security`. */
  readonly secured: Secured | undefined
  readonly nodes: readonly BrokerProcess[]
  /** kill -9 for all, and their data are removed. */
  stop(): Promise<void>
}

/**
 * Resolves when every node knows of all, after 1.3 s for one and some 4 s for three on two cores; a first use fetches the
 * jars. Rejects with the last lines a broker said when it does not start, and without a JDK 17 (ask `ownBrokersOrSkip`).
 */
export async function startCluster(options: ClusterOptions = {}): Promise<KafkaCluster> {
  const java = await findJava()
  if (java === undefined) throw new Error('brokers of a test need a JDK 17 or newer (JAVA_HOME, or java on the PATH)')
  const jars = await kafkaJars(options.version ?? chosenVersion(), java)
  const archive = await classArchive(jars, java)

  const ids = Array.from({ length: options.nodes ?? 1 }, (_, index) => index + 1)
  if (options.advertise !== undefined && options.advertise.length !== ids.length)
    throw new Error(`advertise has ${options.advertise.length} addresses for ${ids.length} nodes`)
  const voters = await Promise.all(ids.map(freePort))
  const ports = await Promise.all(ids.map(freePort))
  const behind = options.advertise === undefined ? [] : await Promise.all(ids.map(freePort))
  const secured = options.security === true ? await securedListeners(ids.length) : undefined

  const folder = await mkdtemp(join(tmpdir(), 'touchstone-kafka-'))
  const forget = removeAfterUs(folder)
  const cluster = newId()
  const nodes: BrokerProcess[] = []
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.kill()))
    forget()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    for (const [index, id] of ids.entries()) {
      const plain: Listener = { name: 'PLAIN', port: ports[index] ?? 0, protocol: 'PLAINTEXT' }
      const proxied = behind[index]
      const more: Listener[] =
        proxied === undefined
          ? []
          : [{ name: 'PROXIED', port: proxied, protocol: 'PLAINTEXT', advertised: options.advertise?.[index] }]
      const listeners = [plain, ...more, ...(secured?.listeners[index] ?? [])] as const
      const settings = { id, voters, listeners, more: options.settings }
      nodes.push(await prepareNode({ java, jars, cluster, folder: join(folder, String(id)), settings, archive }))
    }
    await Promise.all(nodes.map((node) => node.start()))
  } catch (error) {
    await stop()
    throw error
  }
  return {
    version: jars.version,
    brokers: nodes.map(({ address }) => address),
    behind: behind.map((port) => `127.0.0.1:${port}`),
    secured: secured?.secured,
    nodes,
    stop,
  }
}
