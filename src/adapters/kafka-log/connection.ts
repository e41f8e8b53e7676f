// How to reach the brokers: what the settings say, as every client of the adapter gets it.

export interface KafkaConnection {
  /** `host:port` of some of the brokers. */
  readonly brokers: readonly string[]
  /** Names this process in the brokers' logs and metrics. */
  readonly clientId: string
  /** Undefined: plain text. */
  readonly tls?: KafkaTls | undefined
  readonly sasl?: KafkaSasl | undefined
}

/** PEM texts. Without `ca` the certificate authorities of Node are trusted. */
export interface KafkaTls {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly passphrase?: string | undefined
}

export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}
