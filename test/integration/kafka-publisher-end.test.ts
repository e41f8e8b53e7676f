// What was published last, read from the end of the topic: behind strangers, open transactions and copies. PostgreSQL and Kafka are real.
import { describe, expect, it } from 'vitest'
import { createKafka } from '../../src/adapters/kafka-log/client.ts'
import { lastPublished } from '../../src/adapters/kafka-log/fenced-end.ts'
import { createFencedLog } from '../../src/adapters/kafka-log/fenced-log.ts'
import { createFetcher } from '../../src/adapters/kafka-log/fetch.ts'
import kafkajs from 'kafkajs'
import { pino } from 'pino'
import { utf8 } from '../contracts/store-samples.ts'
import { sendBomb } from '../support/kafka/bomb.ts'
import { produceWithJava } from '../support/kafka/java.ts'
import { javaOrSkip } from '../support/kafka/kafka.ts'
import { kafkaLegs } from '../support/kafka/legs.ts'
import { diesBeforeTheMark, upTo, worldsOn } from './kafka-publisher-world.ts'

const logger = pino({ level: 'silent' })

describe.each(kafkaLegs())('the end of what was published on $name', ({ start }) => {
  const world = worldsOn(start)

  it('finds its last record also behind thousands of strangers', async () => {
    const w = await world()
    await w.commit(w.many('a', 30))
    const dying = await w.process('dying', diesBeforeTheMark)
    for (const publisher of dying.publishers) await publisher.publish().catch(() => undefined)
    const stranger = createKafka({ brokers: w.brokers, clientId: 'stranger' }, logger).producer({
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    })
    await stranger.connect()
    const headers = { 'touchstone-position': 'seven' }
    const messages = Array.from({ length: 3_000 }, () => ({ partition: 4, value: 'x', headers }))
    await stranger.send({ topic: w.topic, messages })
    await stranger.disconnect()
    await w.commit(w.many('b', 30))
    await w.expire()
    await (await w.process('next')).drain()
    const ours = (await w.positions()).map((positions) => positions.filter((position) => !Number.isNaN(position)))
    expect(ours).toEqual(upTo(await w.heads()))
  })

  it.runIf(javaOrSkip())('says nothing of an end that the open transaction of somebody else hides', async () => {
    const w = await world()
    await produceWithJava({
      brokers: w.brokers,
      topic: w.topic,
      transactional: `${w.prefix}-stranger`,
      records: ['begin', { partition: 0, key: null, value: utf8('x') }, 'flush'],
    })
    const fetcher = createFetcher({
      kafka: createKafka({ brokers: w.brokers, clientId: 'test' }, logger),
      patienceMs: 5_000,
    })
    await expect(lastPublished(fetcher, [{ topic: w.topic, partition: 0 }], { openMs: 200 })).rejects.toThrow(
      'somebody else is open',
    )
    await fetcher.close()
  })

  it('whoever copies an old record of ours behind the last one moves nothing', async () => {
    const w = await world()
    const { drain, log, outbox } = await w.process('one')
    await w.commit(w.many('a', 60))
    await drain()
    const [first] = (await w.read()).get(0) ?? []
    const stranger = await log.fence('stranger')
    await stranger.write(
      [
        {
          topic: w.topic,
          partition: 0,
          position: 1n,
          key: first?.key ?? null,
          value: first?.value ?? null,
          headers: {},
        },
      ],
      outbox.storeId,
    )
    await stranger.close()
    const [end] = await log.lastPublished([{ topic: w.topic, partition: 0 }])
    expect(Number(end?.position)).toBe((await w.heads())[0])
    await w.expire()
    await w.commit(w.many('b', 60))
    await (await w.process('next')).drain()
    const [mine] = await w.positions()
    expect(mine?.filter((position, i) => position !== 1 || i === 0)).toEqual(upTo(await w.heads())[0])
  })

  it('a batch that cannot be read is passed over when it cannot be ours, and named when it can', async () => {
    const w = await world()
    await w.commit(w.many('a', 30))
    const dying = await w.process('dying', diesBeforeTheMark)
    for (const publisher of dying.publishers) await publisher.publish().catch(() => undefined)
    await sendBomb(w.brokers, { topic: w.topic, partition: 0 })
    const heads = await w.heads()
    const ends = async () => dying.log.lastPublished([{ topic: w.topic, partition: 0 }])
    expect((await ends()).map(({ position }) => Number(position))).toEqual([heads[0]])
    await sendBomb(w.brokers, { topic: w.topic, partition: 0 }, 'commit')
    await expect(ends()).rejects.toMatchObject({
      code: 'topics-wrong',
      message: expect.stringMatching(/batch that cannot be read: .* delete the records below the offset \d+ /),
    })
  })

  it('a partition that is not there is named', async () => {
    const w = await world()
    const log = createFencedLog({ connection: { brokers: w.brokers, clientId: 'test' }, logger, prefix: w.prefix })
    await expect(log.lastPublished([{ topic: w.topic, partition: 99 }])).rejects.toMatchObject({ code: 'topics-wrong' })
    await log.close()
  })
})
