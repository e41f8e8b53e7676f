// Nothing real: which Kafka a test run takes, what counts as Java, and what is said of jars that are not the expected ones.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { findJava, javaOf } from '../../support/kafka/java-home.ts'
import { serverProperties } from '../../support/kafka/properties.ts'
import { chooseWay, hasEngine, type Machine } from '../../support/kafka/shared.ts'
import { checkSums, readSums } from '../../support/kafka/sums.ts'
import { chosenVersion } from '../../support/kafka/versions.ts'

describe('which Kafka a run takes', () => {
  const nothing: Machine = { given: undefined, canRunBrokers: async () => false, hasEngine: async () => false }
  const unasked = () => Promise.reject(new Error('asked for without need'))

  test('none on a bare machine', async () => {
    expect(await chooseWay(nothing)).toBe('none')
  })

  test('an empty KAFKA_BROKERS is none', async () => {
    expect(await chooseWay({ ...nothing, given: ' ' })).toBe('none')
  })

  test('a given one before everything, and nothing else is looked for', async () => {
    expect(await chooseWay({ given: 'localhost:9092', canRunBrokers: unasked, hasEngine: unasked })).toBe('given')
  })

  test('our own before a container', async () => {
    expect(await chooseWay({ ...nothing, canRunBrokers: async () => true, hasEngine: unasked })).toBe('own')
  })

  test('a container where only an engine answers', async () => {
    expect(await chooseWay({ ...nothing, hasEngine: async () => true })).toBe('container')
  })

  test('a `docker` whose engine never answers is none, and holds up nobody', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'touchstone-docker-'))
    try {
      vi.stubEnv('PATH', folder)
      expect(await hasEngine()).toBe(false)
      const docker = (does: string) => writeFileSync(join(folder, 'docker'), `#!/bin/sh\n${does}\n`, { mode: 0o755 })
      docker('exit 0')
      expect(await hasEngine()).toBe(true)
      docker('exec /bin/sleep 60')
      expect(await hasEngine(100)).toBe(false)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('a version that nobody knows is an error, not the default', () => {
    expect(() => chosenVersion('2.8.0')).toThrow('TOUCHSTONE_TEST_KAFKA=2.8.0')
    expect(chosenVersion('3.9.2')).toBe('3.9.2')
    expect(chosenVersion('')).toBe('4.1.2')
  })

  test('no setting about Kafka of who runs the tests reaches the code under test', () => {
    expect(Object.keys(process.env).filter((name) => name.startsWith('KAFKA_'))).toEqual([])
  })
})

describe('Java', () => {
  const settings = (version: string) => `    java.home = /opt/java\n    java.runtime.version = ${version}\n`

  test('too old, or something else', () => {
    expect(javaOf(settings('11.0.22+7'))).toBeUndefined()
    expect(javaOf(settings('1.8.0_392-b08'))).toBeUndefined()
    expect(javaOf('No Java runtime present')).toBeUndefined()
  })

  test('17 and newer, early ones too', () => {
    expect(javaOf(settings('17.0.15+6'))).toEqual({ home: '/opt/java', version: '17.0.15+6' })
    expect(javaOf(settings('25-ea+3'))?.version).toBe('25-ea+3')
  })

  test('without a compiler it is none: the client of the tests is compiled', async () => {
    const home = mkdtempSync(join(tmpdir(), 'touchstone-java-'))
    try {
      const said = settings('17.0.15+6').replace('/opt/java', home)
      mkdirSync(join(home, 'bin'))
      writeFileSync(join(home, 'bin', 'java'), `#!/bin/sh\ncat >&2 <<'END'\n${said}END\n`, { mode: 0o755 })
      vi.stubEnv('JAVA_HOME', home)
      expect(await findJava()).toBeUndefined()
      writeFileSync(join(home, 'bin', 'javac'), '')
      expect(await findJava()).toEqual({ home, version: '17.0.15+6' })
    } finally {
      rmSync(home, { recursive: true })
    }
  })
})

describe('the jars', () => {
  let folder = ''
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'touchstone-sums-'))))
  afterEach(() => rmSync(folder, { recursive: true }))
  const sums = () => readSums(`${hash('sha256', 'one')}  one.jar\n${hash('sha256', 'two')} *two.jar\n`)

  test('a changed, a missing and a surplus one are named', async () => {
    writeFileSync(join(folder, 'one.jar'), 'changed')
    writeFileSync(join(folder, 'three.jar'), 'three')
    const named = 'one.jar has another SHA-256; two.jar is missing; three.jar is not expected'
    await expect(checkSums(folder, sums())).rejects.toThrow(named)
  })

  test('a line that is no sum is not skipped', () => {
    expect(() => readSums('abc  one.jar\n')).toThrow('abc')
  })

  test('as they should be', async () => {
    writeFileSync(join(folder, 'one.jar'), 'one')
    writeFileSync(join(folder, 'two.jar'), 'two')
    await expect(checkSums(folder, sums())).resolves.toBeUndefined()
  })
})

test("a broker's settings: what a test asks for stands last, and a key of several lines stays one value", () => {
  const listener = { name: 'TLS', port: 2, protocol: 'SSL', settings: { 'ssl.keystore.key': 'a\nb' } } as const
  const plain = { name: 'PLAIN', port: 1, protocol: 'PLAINTEXT', advertised: '127.0.0.1:7' } as const
  const more = { 'num.partitions': '8' }
  const lines = serverProperties({ id: 1, data: '/data', voters: [9], listeners: [plain, listener], more }).split('\n')
  expect(lines).toContain('num.partitions=8')
  expect(lines).not.toContain('num.partitions=1')
  expect(lines).toContain(String.raw`listener.name.tls.ssl.keystore.key=a\nb`)
  expect(lines).toContain('advertised.listeners=PLAIN://127.0.0.1:7,TLS://127.0.0.1:2')
})
