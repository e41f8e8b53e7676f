// Real: what is said of failures as kafkajs throws them, wrappers and all; no broker.
import kafkajs from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { explained, isTransient } from '../../../../src/adapters/kafka-log/errors.ts'
import { TouchstoneError } from '../../../../src/errors.ts'

// The types of kafkajs leave out half of what its constructors take.
type Make = new (error: object | string, more?: object) => Error
const errors = kafkajs as unknown as Record<
  | 'KafkaJSConnectionClosedError'
  | 'KafkaJSConnectionError'
  | 'KafkaJSNonRetriableError'
  | 'KafkaJSNumberOfRetriesExceeded'
  | 'KafkaJSProtocolError'
  | 'KafkaJSSASLAuthenticationError'
  | 'KafkaJSRequestTimeoutError',
  Make
>

const protocol = (type: string, retriable = false) =>
  new errors.KafkaJSProtocolError({ type, code: 1, retriable, message: `It is ${type}` })
/** As kafkajs gives up. */
const wrapped = (error: Error) =>
  new errors.KafkaJSNonRetriableError(
    new errors.KafkaJSNumberOfRetriesExceeded(error, { retryCount: 5, retryTime: 1 }),
    { cause: error },
  )
const connection = (code: string) =>
  new errors.KafkaJSConnectionError(`Connection error: ${code}`, { broker: 'b:1', code })

describe('somebody must mend it, so it is neither waited for nor tried again', () => {
  test.each([
    [
      'a sign-in that is refused',
      new errors.KafkaJSSASLAuthenticationError('SASL PLAIN authentication failed'),
      'KAFKA_SASL_',
    ],
    ['an ACL', protocol('TOPIC_AUTHORIZATION_FAILED'), 'ACL'],
    ['an ACL of the publisher', protocol('TRANSACTIONAL_ID_AUTHORIZATION_FAILED'), 'ACL'],
    ['a way to sign in that is not known', protocol('UNSUPPORTED_SASL_MECHANISM'), 'KAFKA_SASL_MECHANISM'],
    ['a password for a listener that asks for none', protocol('ILLEGAL_SASL_STATE'), 'KAFKA_SASL_MECHANISM'],
    ['an authority that is not trusted', connection('SELF_SIGNED_CERT_IN_CHAIN'), 'KAFKA_TLS'],
    ['a certificate for another host', connection('ERR_TLS_CERT_ALTNAME_INVALID'), 'KAFKA_TLS'],
    ['a side without TLS', connection('ERR_SSL_WRONG_VERSION_NUMBER'), 'KAFKA_TLS'],
  ])('%s', (_, error, said) => {
    for (const each of [error, wrapped(error)]) {
      expect(isTransient(each)).toBe(false)
      expect(explained(each)).toMatchObject({ code: 'log-forbidden', message: expect.stringContaining(said) })
    }
  })
})

describe('the world is at fault, so the same is tried again', () => {
  test.each([
    ['no broker there', connection('ECONNREFUSED')],
    ['a broker that does not answer', new errors.KafkaJSRequestTimeoutError('Request Produce timed out')],
    ['a broker that took the connection and said nothing', new Error('Broker not connected')],
    ['an election', protocol('NOT_LEADER_FOR_PARTITION', true)],
    ['too few copies in sync', protocol('NOT_ENOUGH_REPLICAS', true)],
    ['a sequence that the broker lost', protocol('OUT_OF_ORDER_SEQUENCE_NUMBER')],
    ['several at once', new AggregateError([connection('ECONNREFUSED'), protocol('LEADER_NOT_AVAILABLE', true)])],
  ])('%s', (_, error) => {
    for (const each of [error, wrapped(error)]) {
      expect(isTransient(each)).toBe(true)
      expect(explained(each)).toMatchObject({ code: 'log-unavailable', status: 503 })
    }
  })
})

test('a listener that hangs up is a sign of a setting as often as of a broker that went, so both are said', () => {
  const hungUp = new errors.KafkaJSConnectionClosedError('Closed connection', { host: 'b', port: 1 })
  expect(explained(wrapped(hungUp))).toMatchObject({
    code: 'log-unavailable',
    message: expect.stringMatching(/Closed connection.*KAFKA_TLS, KAFKA_SASL_MECHANISM/),
  })
  const plain = connection('Client network socket disconnected before secure TLS connection was established')
  expect(explained(wrapped(plain))).toMatchObject({ message: expect.stringContaining('without TLS') })
})

test('what nobody knows stays what it is, and what is known is not said again', () => {
  const bug = new TypeError('x is not a function')
  expect([isTransient(bug), explained(bug)]).toEqual([false, bug])
  const mixed = new AggregateError([connection('ECONNREFUSED'), bug])
  expect([isTransient(mixed), isTransient(new AggregateError([]))]).toEqual([false, false])
  const ours = new TouchstoneError('log-unreadable', 'A batch')
  expect(explained(wrapped(ours))).toBe(ours)
})

test('a record that is too large is told apart', () => {
  for (const type of ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']) {
    expect(isTransient(wrapped(protocol(type)))).toBe(false)
    expect(explained(wrapped(protocol(type)))).toMatchObject({ code: 'too-large' })
  }
})
