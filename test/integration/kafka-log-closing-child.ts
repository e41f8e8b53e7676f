// A process that begins something on Kafka, closes in the middle of it when told, says which sockets it has left, and must then end by itself.
import { once } from 'node:events'
import { pino } from 'pino'
import { createFencedLog } from '../../src/adapters/kafka-log/fenced-log.ts'
import { createKafkaLog } from '../../src/adapters/kafka-log/kafka-log.ts'

export interface ClosingTask {
  readonly broker: string
  readonly topic: string
  readonly what: 'append' | 'subscribe' | 'fence' | 'read'
}

const { broker, topic, what } = JSON.parse(process.argv[2] ?? '') as ClosingTask
const connection = { brokers: [broker], clientId: 'closing' }
const logger = pino({ level: 'silent' })

const log = createKafkaLog({ connection, logger, sessionTimeoutMs: 1_000, appendTimeoutMs: 500 })
const fenced = createFencedLog({ connection, logger, prefix: topic })
const ignore = (): undefined => undefined

const begin: Record<ClosingTask['what'], () => void> = {
  append() {
    const value = Buffer.from('v')
    const again = (): Promise<void> =>
      log.append(topic, [{ key: value, value, headers: {} }]).then(again, (error: { code?: string }) =>
        // Several writers, each given up in the middle of its tries.
        error.code === 'not-ready' ? undefined : again(),
      )
    void again()
  },
  subscribe() {
    const options = { topic, group: topic, maxRecords: 10, maxBytes: 1_000, concurrency: 1 }
    log
      .subscribe(options, { place: async (_topic, _partition, low) => low, handle: async () => 'committed' })
      .done.catch(ignore)
  },
  fence: () => void fenced.fence('0').then((writer) => writer.close(), ignore),
  read: () => void log.ranges(topic).catch(ignore),
}
begin[what]()

await once(process.stdin, 'data')
process.stdin.destroy()
await Promise.all([log.close(), fenced.close()])
// What was told to end does so in this turn and the next.
await new Promise((resolve) => setTimeout(resolve, 50))
const sockets = process.getActiveResourcesInfo().filter((one) => /TCP|TLS/.test(one))
process.stdout.write(JSON.stringify({ sockets }))
