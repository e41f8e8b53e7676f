// The only reader of the environment: defaults, and one error that names all wrong settings and no value.
import { describe, expect, it } from 'vitest'
import { readConfig, SETTINGS } from '../../src/config.ts'

const wrong = (env: Record<string, string>) => {
  try {
    readConfig(env)
    return ''
  } catch (error) {
    return error instanceof Error ? error.message : ''
  }
}

describe('readConfig', () => {
  it('has a default for every setting, and takes an empty one as unset', () => {
    const config = readConfig({ PORT: '' })
    expect(config).toMatchObject({
      PORT: 8080,
      METRICS_PORT: 9464,
      HOST: '127.0.0.1',
      TOUCHSTONE_TOPIC_PREFIX: 'touchstone',
    })
    expect(config.TOUCHSTONE_DATA_DIR).toMatch(/\/\.touchstone$/)
    for (const [name, { default: shown }] of Object.entries(SETTINGS)) {
      if (shown === 'unset' || name === 'TOUCHSTONE_DATA_DIR' || name === 'LOG_LEVEL') continue
      expect(String(config[name as keyof typeof config]), name).toBe(shown)
    }
  })

  it('names every wrong one at once and what is expected, never the value', () => {
    const message = wrong({
      PORT: 'secret',
      LOG_LEVEL: 'secret',
      DATABASE_URL: 'mysql://user:secret@host/db',
      TOUCHSTONE_PARTITIONS: '0',
    })
    for (const name of ['PORT', 'LOG_LEVEL', 'DATABASE_URL', 'TOUCHSTONE_PARTITIONS'])
      expect(message).toContain(`${name}: `)
    expect(message).toContain('a whole number from 0 to 65535')
    expect(message).not.toContain('secret')
  })

  it('refuses what this version would ignore', () => {
    expect(wrong({ OIDC_ISSUER: 'https://id.example' })).toMatch(/OIDC_ISSUER: is not supported by this version/)
  })
})

describe('the settings of pictures', () => {
  it('takes names, all below a name, ports and networks', () => {
    expect(
      readConfig({
        TOUCHSTONE_IMAGE_HOSTS: 'img.example, *.shop.example,bücher.example,203.0.113.7',
        TOUCHSTONE_IMAGE_PORTS: '80, 8443',
        TOUCHSTONE_IMAGE_PRIVATE_NETWORKS: '10.1.0.0/16,127.0.0.1,fd00::/8',
      }),
    ).toMatchObject({
      TOUCHSTONE_IMAGE_HOSTS: ['img.example', '*.shop.example', 'bücher.example', '203.0.113.7'],
      TOUCHSTONE_IMAGE_PORTS: [80, 8443],
      TOUCHSTONE_IMAGE_PRIVATE_NETWORKS: ['10.1.0.0/16', '127.0.0.1', 'fd00::/8'],
    })
  })

  it.each([
    [
      'TOUCHSTONE_IMAGE_HOSTS',
      ['*', '*.', 'https://secret.example', 'secret/x', 'se cret', 'a.*.secret', '*.10.0.0.1', ''],
    ],
    ['TOUCHSTONE_IMAGE_PORTS', ['0', '65536', 'https', '80-90', '8 0', '']],
    ['TOUCHSTONE_IMAGE_PRIVATE_NETWORKS', ['secret', '10.0.0.0/33', '::/129', '10.0.0', '10.0.0.0/', '127.1', '']],
  ] as const)('%s: the place of each wrong one is named, never its value', (name, values) => {
    const right = name === 'TOUCHSTONE_IMAGE_PORTS' ? '80' : '1.1.1.1'
    for (const value of values) {
      const message = wrong({ [name]: `${right},${value}` })
      expect(message, value).toMatch(new RegExp(`^${name}: no\\. 2 of 2 must be `))
      expect(message).not.toContain('secret')
    }
  })
})

describe('the settings of Kafka', () => {
  const brokers = { KAFKA_BROKERS: 'a:9092' }

  it('takes names, IPv4 and IPv6 addresses with a port, and names the place of each that is something else', () => {
    expect(readConfig({ KAFKA_BROKERS: 'one.example:9092, 10.0.0.1:19092,[::1]:9092' }).KAFKA_BROKERS).toEqual([
      'one.example:9092',
      '10.0.0.1:19092',
      '[::1]:9092',
    ])
    for (const secret of ['secret', 'secret:0', 'secret:65536', '[secret]:1', '::1:9092', 'kafka://secret:1', ''])
      expect(wrong({ KAFKA_BROKERS: `a:1,${secret},b:2` }), secret).toMatch(
        /^KAFKA_BROKERS: no\. 2 of 3 must be host:port, an IPv6 address in brackets as in \[::1\]:9092$/,
      )
  })

  it('uses TLS where it is asked for or a certificate is named, and never drops it in silence', () => {
    expect(readConfig(brokers).KAFKA_TLS).toBe(false)
    expect(readConfig({ ...brokers, KAFKA_TLS: 'true' }).KAFKA_TLS).toBe(true)
    expect(readConfig({ ...brokers, KAFKA_TLS_CA_FILE: 'ca.pem' }).KAFKA_TLS).toBe(true)
    expect(wrong({ ...brokers, KAFKA_TLS: 'false', KAFKA_TLS_CA_FILE: 'ca.pem' })).toMatch(/^KAFKA_TLS: is false/)
    expect(wrong({ ...brokers, KAFKA_TLS: 'secret' })).toBe('KAFKA_TLS: must be true or false')
    expect(wrong({ KAFKA_TLS: 'true' })).toBe('KAFKA_BROKERS: must be given with KAFKA_TLS')
    expect(readConfig({ KAFKA_TLS: 'false' }).KAFKA_TLS).toBe(false)
  })

  it('names every setting that another one needs, at once and without a value', () => {
    const message = wrong({
      ...brokers,
      KAFKA_TLS_CERT_FILE: 'secret',
      KAFKA_SASL_PASSWORD: 'secret',
      KAFKA_SESSION_TIMEOUT_MS: '1',
    })
    expect(message.split('\n')).toEqual([
      'KAFKA_SESSION_TIMEOUT_MS: must be a whole number from 500 to 1800000',
      'KAFKA_TLS_CERT_FILE, KAFKA_TLS_KEY_FILE: must be given together',
      'KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME: must be given with KAFKA_SASL_PASSWORD',
    ])
    expect(wrong({ ...brokers, KAFKA_TLS_KEY_PASSPHRASE: 'secret' })).toMatch(
      /^KAFKA_TLS_KEY_PASSPHRASE: means nothing/,
    )
    expect(wrong({ KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'secret' })).toBe(
      'KAFKA_BROKERS: must be given with KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD',
    )
    expect(wrong({ ...brokers, KAFKA_SASL_MECHANISM: 'secret' })).toMatch(
      /KAFKA_SASL_MECHANISM: must be plain, scram-sha-256 or scram-sha-512/,
    )
  })
})
