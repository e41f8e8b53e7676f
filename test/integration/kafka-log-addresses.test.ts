// Brokers that are named by IPv6 addresses. Real: Kafka, behind a wire that listens on the IPv6 loopback.
import { connect, createServer, type AddressInfo } from 'node:net'
import { pino } from 'pino'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createKafkaLog } from '../../src/adapters/kafka-log/kafka-log.ts'
import { createSockets, cuttable } from '../../src/adapters/kafka-log/sockets.ts'
import { freshTopic, kafkaOrSkip } from '../support/kafka/kafka.ts'

const kafka = kafkaOrSkip()

/** Port on ::1 that leads to the address. */
async function onIpv6(address: string): Promise<number> {
  const [host = '', port] = address.split(':')
  const server = createServer((near) => {
    const far = connect({ host, port: Number(port) })
    for (const socket of [near, far]) socket.on('error', () => undefined)
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, '::1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

describe.runIf(kafka !== undefined)('a broker at an IPv6 address', () => {
  const [broker = ''] = kafka ?? []

  test('is reached as the settings name it', async () => {
    const topic = await freshTopic(kafka ?? [])
    const brokers = [`[::1]:${await onIpv6(broker)}`]
    const log = createKafkaLog({ connection: { brokers, clientId: 'test' }, logger: pino({ level: 'silent' }) })
    onTestFinished(async () => log.close())
    expect(await log.ranges(topic)).toEqual([{ partition: 0, low: 0n, high: 0n }])
  })

  test('is reached as it names itself, with brackets or without', async () => {
    const port = await onIpv6(broker)
    const [seed = ''] = cuttable(`[::1]:${port}`).split(':')
    for (const host of ['::1', '[::1]', seed]) {
      const sockets = createSockets()
      const connected = Promise.withResolvers<void>()
      const socket = sockets.open({ host, port, ssl: undefined as never, onConnect: () => connected.resolve() })
      socket.on('error', () => undefined)
      await connected.promise
      sockets.close()
      expect(socket.destroyed).toBe(true)
    }
  })
})
