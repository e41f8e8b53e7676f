// How the processes reach the brokers: the settings, with the certificates read from their files.
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { KafkaConnection, KafkaTls } from '../adapters/kafka-log/connection.ts'
import type { Config } from '../config.ts'
import { messageOf, TouchstoneError } from '../errors.ts'

/**
 * Undefined where the log lives in PostgreSQL. `program` is the command, for the brokers' logs.
 * @throws TouchstoneError `settings-invalid` that names every file that cannot be read, never a value.
 */
export async function kafkaConnection(config: Config, program: string): Promise<KafkaConnection | undefined> {
  const { KAFKA_BROKERS: brokers, KAFKA_SASL_MECHANISM: mechanism } = config
  if (brokers === undefined) return undefined
  const { KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = config
  return {
    brokers,
    clientId: `${config.TOUCHSTONE_TOPIC_PREFIX}-${program}`,
    tls: config.KAFKA_TLS ? await readTls(config) : undefined,
    // The settings come together or not at all: config.ts sees to it.
    sasl:
      mechanism === undefined || username === undefined || password === undefined
        ? undefined
        : { mechanism, username, password },
  }
}

async function readTls(config: Config): Promise<KafkaTls> {
  const wrong: string[] = []
  const pem = async (setting: 'KAFKA_TLS_CA_FILE' | 'KAFKA_TLS_CERT_FILE' | 'KAFKA_TLS_KEY_FILE') => {
    const path = config[setting]
    if (path === undefined) return undefined
    try {
      const text = await readFile(path, 'utf8')
      if (text.includes('-----BEGIN ')) return text
      wrong.push(`${setting}: the file is not PEM: it has no line -----BEGIN`)
    } catch (error) {
      wrong.push(`${setting}: the file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`)
    }
    return undefined
  }
  const [ca, cert, key] = [
    await pem('KAFKA_TLS_CA_FILE'),
    await pem('KAFKA_TLS_CERT_FILE'),
    await pem('KAFKA_TLS_KEY_FILE'),
  ]
  if (wrong.length > 0) throw new TouchstoneError('settings-invalid', wrong.join('\n'))
  const tls = { ca, cert, key, passphrase: config.KAFKA_TLS_KEY_PASSPHRASE }
  assertUsable(tls)
  return tls
}

/** Files that were mixed up, and a wrong passphrase, would else look like brokers that are away, and be waited for. */
function assertUsable({ ca, cert, key, passphrase }: KafkaTls): void {
  const wrong: string[] = []
  const attempt = (settings: string, use: () => unknown) => {
    try {
      use()
    } catch (error) {
      wrong.push(`${settings}: cannot be used: ${messageOf(error)}`)
    }
  }
  // OpenSSL passes over authorities that are none.
  if (ca !== undefined) attempt('KAFKA_TLS_CA_FILE', () => new X509Certificate(ca))
  if (cert !== undefined)
    attempt('KAFKA_TLS_CERT_FILE, KAFKA_TLS_KEY_FILE, KAFKA_TLS_KEY_PASSPHRASE', () =>
      createSecureContext({ cert, key, passphrase }),
    )
  if (wrong.length > 0) throw new TouchstoneError('settings-invalid', wrong.join('\n'))
}
