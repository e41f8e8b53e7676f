// Real: Kafka, processes of their own, and a wire in between that goes dead in the middle of what they do. Closing is the end all the same.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startCluster, type KafkaCluster } from '../support/kafka/broker.ts'
import { freshTopic, ownBrokersOrSkip } from '../support/kafka/kafka.ts'
import { startProxy, type KafkaProxy } from '../support/kafka/proxy.ts'
import type { ClosingTask } from './kafka-log-closing-child.ts'

const CHILD = fileURLToPath(new URL('kafka-log-closing-child.ts', import.meta.url))
/** The longest pause of a try that is still under way is a second; a busy machine takes its time besides. */
const END_MS = 4_000

describe.runIf(ownBrokersOrSkip())('a process that closes the log', () => {
  let cluster: KafkaCluster | undefined
  let proxy: KafkaProxy
  beforeAll(async () => {
    proxy = await startProxy()
    cluster = await startCluster({ advertise: [proxy.address] })
    proxy.target(cluster.behind[0] ?? '')
  })
  afterAll(async () => {
    await proxy?.close()
    await cluster?.stop()
  })

  const cases: { name: string; what: ClosingTask['what']; trouble: (wire: KafkaProxy) => Promise<unknown> }[] = [
    {
      name: 'while it joins a group',
      what: 'subscribe',
      trouble: async (wire) => wire.next('JoinGroup').holdAnswer(),
    },
    {
      name: 'while its group gets its partitions',
      what: 'subscribe',
      trouble: async (wire) => {
        await wire.next('SyncGroup').dropAnswer()
        wire.silence()
      },
    },
    {
      name: 'while it fences',
      what: 'fence',
      trouble: async (wire) => wire.next('InitProducerId').holdAnswer(),
    },
    {
      name: 'while a read waits for its answer',
      what: 'read',
      trouble: async (wire) => wire.next('ListOffsets').holdAnswer(),
    },
    {
      name: 'while its appends find no broker any more',
      what: 'append',
      trouble: async (wire) => {
        await wire.next('Produce', 3).dropAnswer()
        // Nobody listens here: every try to come back is refused at once.
        await wire.close()
        // Given up by who asked, after half a second, and still tried by kafkajs.
        await new Promise((resolve) => setTimeout(resolve, 1_500))
      },
    },
  ]
  test.each(cases)(
    '$name leaves no socket and nothing that keeps it alive',
    async ({ what, trouble }) => {
      const topic = await freshTopic(cluster?.brokers ?? [])
      const happened = trouble(proxy)
      const task: ClosingTask = { broker: proxy.address, topic, what }
      const child = spawn(process.execPath, [CHILD, JSON.stringify(task)], { stdio: ['pipe', 'pipe', 'inherit'] })
      onTestFinished(() => void child.kill('SIGKILL'))
      const ended = once(child, 'close')
      await happened
      child.stdin.write('close\n')
      let said = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
      await expect.poll(() => said, { timeout: 15_000 }).toBe(JSON.stringify({ sockets: [] }))
      const closed = performance.now()
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, END_MS))])
      expect(child.exitCode, `it lives on ${performance.now() - closed} ms after it closed`).toBe(0)
      proxy.restore()
    },
    40_000,
  )
})
