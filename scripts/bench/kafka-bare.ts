// The bare read-and-write that the gate is measured against: one member that copies a topic to another, bytes as they are.
//
//   node scripts/bench/kafka-bare.ts BROKERS FROM TO GROUP
//
// kafkajs on both sides as in the gate, one send per partition and batch; nothing is parsed, evaluated or stored.
import { Kafka, logLevel } from 'kafkajs'

const [brokers = '', from = '', to = '', group = ''] = process.argv.slice(2)
const kafka = new Kafka({
  brokers: brokers.split(','),
  logLevel: logLevel.NOTHING,
  retry: { retries: 60, maxRetryTime: 1_000 },
})
const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
const consumer = kafka.consumer({
  groupId: group,
  sessionTimeout: 6_000,
  heartbeatInterval: 500,
  // What there is comes at once: the bare copy waits for nothing.
  minBytes: 1,
})
await Promise.all([producer.connect(), consumer.connect()])
await consumer.subscribe({ topics: [from], fromBeginning: true })
consumer.on(consumer.events.GROUP_JOIN, () => void process.stdout.write('joined\n'))
await consumer.run({
  partitionsConsumedConcurrently: 6,
  eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
    await producer.send({
      topic: to,
      acks: -1,
      messages: batch.messages.map(({ key, value, headers }) => ({
        key,
        value,
        headers: headers ?? {},
        partition: batch.partition,
      })),
    })
    resolveOffset(batch.lastOffset())
    await heartbeat()
  },
})
