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
    expect(wrong({ KAFKA_BROKERS: 'localhost:9092' })).toMatch(/KAFKA_BROKERS: is not supported by this version/)
  })
})
