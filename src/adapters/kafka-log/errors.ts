// Which failures of the brokers are the world's (wait and try again), which are a setting's, and what to say of each.
import { messageOf, TouchstoneError } from '../../errors.ts'

// What kafkajs calls final although a later try may well succeed, and what costs a producer that is thrown away anyway.
const TRANSIENT_TYPES = new Set([
  'UNKNOWN',
  'BROKER_NOT_AVAILABLE',
  'INVALID_PRODUCER_EPOCH',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'DUPLICATE_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'CONCURRENT_TRANSACTIONS',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'REBALANCE_IN_PROGRESS',
  'KAFKA_STORAGE_ERROR',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'NOT_CONTROLLER',
])
// The request or its answer was lost, or the client did not know yet whom to ask.
const TRANSIENT_NAMES = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSTopicMetadataNotLoaded',
  'KafkaJSStaleTopicMetadataAssignment',
  'KafkaJSBrokerNotFound',
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSTimeout',
  'KafkaJSLockTimeout',
])
/** kafkajs of a broker that took the connection and did not answer what it can do. It has no class of its own. */
const HALF_CONNECTED = 'Broker not connected'
const TRANSIENT_SYSTEM =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ECONNABORTED)$/
// Certificates that are not trusted or do not fit, and a side that speaks no TLS: OpenSSL's and Node's names.
const TLS_FAILURE =
  /^(ERR_SSL_|ERR_TLS_|EPROTO|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|INVALID_CA|HOSTNAME_MISMATCH|ERR_OSSL)/

interface KafkaError extends Error {
  readonly type?: unknown
  readonly code?: unknown
  readonly retriable?: unknown
}

/** The failure itself, out of the wrappers that kafkajs puts around it when it gives up. */
export function rootOf(error: unknown): unknown {
  let root = error
  // Wrappers are two or three deep; a loop of causes is nobody's.
  for (let depth = 0; depth < 8 && root instanceof Error && !(root instanceof TouchstoneError); depth += 1) {
    const { cause } = root
    if (!(cause instanceof Error)) break
    root = cause
  }
  return root
}

/** Whether it came from the client of the brokers, which wraps all that it meets: a bare failure of the network is another's. */
export function isOfBrokers(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error.name.startsWith('KafkaJS')) return true
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isOfBrokers)
  return error.cause !== error && isOfBrokers(error.cause)
}

/** The broker's word for the failure, such as `UNKNOWN_TOPIC_OR_PARTITION`. */
export function typeOf(error: unknown): string | undefined {
  const root = rootOf(error)
  return root instanceof Error && typeof (root as KafkaError).type === 'string'
    ? String((root as KafkaError).type)
    : undefined
}

/** Whether the same request may succeed later without anybody mending anything. */
export function isTransient(error: unknown): boolean {
  const root = rootOf(error)
  if (root instanceof TouchstoneError) return root.code === 'log-unavailable'
  if (root instanceof AggregateError || isKafkaAggregate(root))
    return root.errors.length > 0 && root.errors.every(isTransient)
  if (!(root instanceof Error) || refusalOf(root) !== undefined) return false
  const { type, code, retriable } = root as KafkaError
  if (typeof type === 'string') return TRANSIENT_TYPES.has(type) || retriable === true
  if (TRANSIENT_NAMES.has(root.name) || root.message === HALF_CONNECTED) return true
  return typeof code === 'string' && TRANSIENT_SYSTEM.test(code)
}

const isKafkaAggregate = (error: unknown): error is Error & { errors: unknown[] } =>
  error instanceof Error && 'errors' in error && Array.isArray(error.errors)

/** Says `log-unavailable`, `log-forbidden` or `too-large`, naming the setting to look at; others stay what they are. */
export function explained(error: unknown): unknown {
  const root = rootOf(error)
  if (root instanceof TouchstoneError) return root
  const refusal = refusalOf(root)
  if (refusal !== undefined) return new TouchstoneError('log-forbidden', refusal, { cause: error })
  if (isTooLarge(root)) {
    return new TouchstoneError('too-large', 'A record is larger than its topic takes (max.message.bytes)', {
      cause: error,
    })
  }
  if (!isTransient(root)) return error
  return new TouchstoneError('log-unavailable', `The brokers cannot be reached or do not answer: ${reasonOf(root)}`, {
    cause: error,
  })
}

/** What was met on the way to a broker, with what it is a sign of where that is a setting as often as the broker. */
export function reasonOf(error: unknown): string {
  const root = rootOf(error)
  const said = messageOf(root)
  if (!(root instanceof Error)) return said
  if (root.name === 'KafkaJSConnectionClosedError')
    return `${said} (a listener that wants TLS or a sign-in does so at once: see KAFKA_TLS, KAFKA_SASL_MECHANISM)`
  return said.includes('before secure TLS connection')
    ? `${said} (a listener without TLS does so: see KAFKA_TLS)`
    : said
}

export function isTooLarge(error: unknown): boolean {
  const type = typeOf(error)
  return type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE'
}

/** What to tell of a failure that somebody must mend: a certificate, a password, an ACL. */
function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { type, code } = error as KafkaError
  if (typeof type === 'string' && type.endsWith('_AUTHORIZATION_FAILED')) {
    return `The brokers do not allow this user that: ${type} (see the ACLs of topics, groups and transactional ids)`
  }
  if (error.name === 'KafkaJSSASLAuthenticationError' || type === 'SASL_AUTHENTICATION_FAILED') {
    return `The brokers do not accept the sign-in (KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD): ${error.message}`
  }
  if (type === 'ILLEGAL_SASL_STATE') {
    return 'The brokers ask for no sign-in at this address, and KAFKA_SASL_MECHANISM is set: take the port of another listener, or unset it'
  }
  if (type === 'UNSUPPORTED_SASL_MECHANISM') {
    return 'The brokers do not know the way to sign in that KAFKA_SASL_MECHANISM names'
  }
  if (typeof code === 'string' && TLS_FAILURE.test(code)) {
    return `TLS with the brokers fails (KAFKA_TLS and the certificates it names): ${error.message} (${code})`
  }
  return undefined
}
