// A topic of ours that is deleted and made anew under the publisher. PostgreSQL and the Kafka of the run are real.
import { describe, expect, it, onTestFinished } from 'vitest'
import { freshTopic, kafkaOrSkip, withAdmin } from '../support/kafka/kafka.ts'
import { PARTITIONS, publishingWorld, upTo } from './kafka-publisher-world.ts'

const brokers = kafkaOrSkip() ?? []

describe.runIf(brokers.length > 0)('a topic that was made anew', () => {
  it('is given again what was published and the store still keeps', async () => {
    const w = await publishingWorld(brokers)
    onTestFinished(async () => w.close())
    await w.commit(w.many('a', 60))
    await (await w.process('one')).drain()
    await withAdmin(brokers, async (admin) => admin.deleteTopics({ topics: [w.topic] }))
    await freshTopic(brokers, { name: w.topic, numPartitions: PARTITIONS })
    await w.expire()
    await w.commit(w.many('b', 30))
    await (await w.process('two')).drain()
    expect(await w.positions()).toEqual(upTo(await w.heads()))
  })
})
