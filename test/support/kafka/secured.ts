// The listeners of a test broker that ask who is there: TLS with and without a client's certificate, and log-in.
import { makeAuthority, type Identity } from './certificates.ts'
import { freePort } from './ports.ts'
import type { Listener } from './properties.ts'
import { STRANGER, USER, USERS, type KafkaUser } from './users.ts'

/** How to get in. All keys and certificates are PEM texts, made for this cluster. */
export interface Secured {
  /** Log-in without encryption: PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. */
  readonly sasl: readonly string[]
  readonly tls: readonly string[]
  /** Takes nobody without a certificate of our authority. */
  readonly mutualTls: readonly string[]
  readonly saslTls: readonly string[]
  readonly user: KafkaUser
  /** Another known user; what it may do is up to the settings of the cluster. */
  readonly stranger: KafkaUser
  /** Certificate authority that signed the brokers' and the client's certificate. */
  readonly ca: string
  readonly client: Identity
}

const KINDS = {
  sasl: { name: 'LOGIN', protocol: 'SASL_PLAINTEXT' },
  tls: { name: 'TLS', protocol: 'SSL' },
  mutualTls: { name: 'MUTUAL', protocol: 'SSL' },
  saslTls: { name: 'LOGINTLS', protocol: 'SASL_SSL' },
} as const

/** Listeners for each of so many nodes. */
export async function securedListeners(
  nodes: number,
): Promise<{ readonly secured: Secured; readonly listeners: readonly (readonly Listener[])[] }> {
  const authority = makeAuthority('Touchstone test authority')
  const broker = authority.issue('127.0.0.1')
  const tls = {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.certificate.chain': broker.cert,
    'ssl.keystore.key': broker.key,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.certificates': authority.ca,
  }
  const module = (name: string, more = '') => `org.apache.kafka.common.security.${name} required${more};`
  const plainUsers = USERS.map(({ name, password }) => ` user_${name}="${password}"`).join('')
  const login = {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'plain.sasl.jaas.config': module('plain.PlainLoginModule', plainUsers),
    'scram-sha-256.sasl.jaas.config': module('scram.ScramLoginModule'),
    'scram-sha-512.sasl.jaas.config': module('scram.ScramLoginModule'),
  }
  const settings = {
    sasl: login,
    tls,
    mutualTls: { ...tls, 'ssl.client.auth': 'required' },
    saslTls: { ...tls, ...login },
  }

  const kinds = Object.keys(KINDS) as (keyof typeof KINDS)[]
  const addresses: Record<keyof typeof KINDS, string[]> = { sasl: [], tls: [], mutualTls: [], saslTls: [] }
  const listeners: Listener[][] = []
  for (let node = 0; node < nodes; node++) {
    const own: Listener[] = []
    for (const kind of kinds) {
      const port = await freePort()
      addresses[kind].push(`127.0.0.1:${port}`)
      own.push({ ...KINDS[kind], port, settings: settings[kind] })
    }
    listeners.push(own)
  }
  const secured = { ...addresses, user: USER, stranger: STRANGER, ca: authority.ca, client: authority.issue('client') }
  return { secured, listeners }
}
