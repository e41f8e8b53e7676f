// Waits until brokers answer as brokers, not only as open ports.
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'

/** How many brokers the first of these addresses that answers knows of; throws when none does. */
export async function brokersAt(brokers: readonly string[]): Promise<number> {
  // A broker that answers does so in milliseconds; who asks comes again.
  const times = { connectionTimeout: 2_000, requestTimeout: 5_000, retry: { retries: 0 } }
  const kafka = new Kafka({ brokers: [...brokers], clientId: 'tests', logLevel: logLevel.NOTHING, ...times })
  const admin = kafka.admin()
  try {
    await admin.connect()
    return (await admin.describeCluster()).brokers.length
  } finally {
    await admin.disconnect().catch(() => {})
  }
}

/** Until this address knows that many brokers; `failed` says in between whether waiting makes sense, by throwing. */
export async function untilReady(address: string, brokers: number, failed: () => void): Promise<void> {
  // Twenty milliseconds: the port opens that long before the first answer, and a knock costs nothing.
  while (!(await opens(address))) {
    failed()
    await sleep(20)
  }
  while ((await brokersAt([address]).catch(() => 0)) < brokers) {
    failed()
    await sleep(50)
  }
}

async function opens(address: string): Promise<boolean> {
  const [host = '', port = ''] = address.split(':')
  const socket = connect({ host, port: Number(port) })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
