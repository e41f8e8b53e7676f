// What is said of certificate files before any broker is asked. Real: files, certificates, OpenSSL.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { kafkaConnection } from '../../../src/apps/kafka.ts'
import { readConfig } from '../../../src/config.ts'
import { makeAuthority } from '../../support/kafka/certificates.ts'

test('files that were mixed up are wrong settings, and nothing to wait for', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'touchstone-tls-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const authority = makeAuthority('ours')
  const [one, two] = [authority.issue('one'), authority.issue('two')]
  const files = { ca: authority.ca, cert: one.cert, key: one.key, other: two.key }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const connect = async (ca: string, cert: string, key: string) => {
    const at = (name: string) => join(folder, name)
    const settings = { KAFKA_TLS_CA_FILE: at(ca), KAFKA_TLS_CERT_FILE: at(cert), KAFKA_TLS_KEY_FILE: at(key) }
    return kafkaConnection(readConfig({ KAFKA_BROKERS: 'a:1', ...settings }), 'test')
  }

  expect((await connect('ca', 'cert', 'key'))?.tls).toMatchObject({ cert: one.cert, key: one.key })
  for (const [cert, key] of [
    ['key', 'cert'],
    ['cert', 'other'],
  ] as const)
    await expect(connect('ca', cert, key)).rejects.toMatchObject({
      code: 'settings-invalid',
      message: expect.stringMatching(/^KAFKA_TLS_CERT_FILE, KAFKA_TLS_KEY_FILE, .*cannot be used/),
    })
  await expect(connect('key', 'cert', 'key')).rejects.toMatchObject({
    code: 'settings-invalid',
    message: expect.stringMatching(/^KAFKA_TLS_CA_FILE: cannot be used/),
  })
})
