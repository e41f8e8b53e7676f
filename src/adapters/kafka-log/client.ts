// The one place that makes a kafkajs client: settings in, every log line and codec as the rest of the process wants it.
import { Kafka, logLevel, type KafkaConfig, type LogEntry, type RetryOptions, type SASLOptions } from 'kafkajs'
import type { Logger } from '../../telemetry.ts'
import { registerCodecs } from './codecs.ts'
import type { KafkaConnection, KafkaSasl, KafkaTls } from './connection.ts'
import { createSockets, cuttable, readable, type Sockets } from './sockets.ts'

export interface ClientSettings {
  readonly retry?: RetryOptions
  readonly connectionTimeoutMs?: number
  readonly requestTimeoutMs?: number
}

/** A broker that is back is found again within a second; about 20 s in all, and who needs longer asks again. */
export const STEADY_RETRY = { initialRetryTime: 50, maxRetryTime: 1_000, retries: 20 } as const satisfies RetryOptions

/** Whoever retries by himself wants to be told at once. */
export const BRIEF_RETRY = { initialRetryTime: 20, maxRetryTime: 100, retries: 1 } as const satisfies RetryOptions

// A TLS handshake with SCRAM on a busy machine takes up to a second.
const CONNECT_MS = 3_000
// A frozen broker is taken for dead after this; a produce that waits for its replicas may take seconds.
const REQUEST_MS = 15_000

const socketsOf = new WeakMap<Kafka, Sockets>()

/** The end of a client and of all that was made of it: what is still under way fails at once, and nothing connects any more. */
export function hangUp(kafka: Kafka): void {
  socketsOf.get(kafka)?.close()
}

/** A client; it connects nothing yet. Whoever makes one hangs up at last. */
export function createKafka(connection: KafkaConnection, logger: Logger, settings: ClientSettings = {}): Kafka {
  registerCodecs()
  const sockets = createSockets()
  // Each try takes the next of the brokers: every one gets its turn.
  const retry = settings.retry ?? STEADY_RETRY
  const config: KafkaConfig = {
    brokers: rotated(connection.brokers).map(cuttable),
    socketFactory: sockets.open,
    clientId: connection.clientId,
    retry: { ...retry, retries: Math.max(retry.retries ?? 0, connection.brokers.length) },
    connectionTimeout: settings.connectionTimeoutMs ?? CONNECT_MS,
    authenticationTimeout: settings.connectionTimeoutMs ?? CONNECT_MS,
    requestTimeout: settings.requestTimeoutMs ?? REQUEST_MS,
    logLevel: logger.isLevelEnabled('trace') ? logLevel.DEBUG : logLevel.INFO,
    logCreator: () => createBridge(logger, sockets),
  }
  if (connection.tls !== undefined) config.ssl = tlsOf(connection.tls)
  if (connection.sasl !== undefined) config.sasl = saslOf(connection.sasl)
  const kafka = new Kafka(config)
  socketsOf.set(kafka, sockets)
  return kafka
}

let clients = 0

/** Each client begins with another one: a first broker that hangs must not cost all of them its time. */
function rotated(brokers: readonly string[]): readonly string[] {
  const first = clients++ % brokers.length
  return [...brokers.slice(first), ...brokers.slice(0, first)]
}

function tlsOf({ ca, cert, key, passphrase }: KafkaTls): Exclude<KafkaConfig['ssl'], undefined> {
  return {
    ...(ca === undefined ? {} : { ca: [ca] }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(passphrase === undefined ? {} : { passphrase }),
  }
}

// A copy for each client: kafkajs keeps what it makes of it in it.
const saslOf = ({ mechanism, username, password }: KafkaSasl): SASLOptions => ({ mechanism, username, password })

// One line of a kind in this time is enough to see it; during an outage kafkajs writes dozens a second.
const REPEAT_MS = 5_000

/**
 * kafkajs retries nearly everything that it calls an error, so to us it is a warning at most; what ends a call reaches the
 * caller as an exception anyway. Its warnings are advice to programmers and its information is about every step.
 */
function createBridge(logger: Logger, sockets: Sockets): (entry: LogEntry) => void {
  const shown = new Map<string, number>()
  return ({ namespace, level, log }) => {
    const text = readable(`kafka: ${namespace || 'client'}: ${log.message}`)
    // An answer that says no is a step of many a conversation; who asked knows what it means. What fails at the end was meant to.
    if (level !== logLevel.ERROR || log.message.startsWith('Response ') || sockets.shut) {
      logger[level === logLevel.DEBUG ? 'trace' : 'debug'](detailsOf(log), text)
      return
    }
    const now = performance.now()
    const quiet = now - (shown.get(namespace) ?? -Infinity) < REPEAT_MS
    if (!quiet) shown.set(namespace, now)
    logger[quiet ? 'debug' : 'warn'](detailsOf(log), text)
  }
}

// Only these: a request or an answer that is logged whole may hold records or what signs us in.
const DETAILS = ['broker', 'groupId', 'memberId', 'topic', 'partition', 'error', 'retryCount']

function detailsOf(log: LogEntry['log']): Record<string, unknown> {
  const details: Record<string, unknown> = {}
  for (const name of DETAILS) {
    const value: unknown = log[name]
    if (typeof value === 'string' || typeof value === 'number')
      details[name] = typeof value === 'string' ? readable(value) : value
  }
  return details
}
