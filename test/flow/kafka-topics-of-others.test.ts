// Topics that are not as the gate makes them: records larger than they seem, strange clocks, too little room. Real: PostgreSQL,
// Kafka, the whole gate; who writes and who counts is the Java client of Kafka.
import kafkajs from 'kafkajs'
import { afterAll, describe, expect, it } from 'vitest'
import { freshDatabase } from '../support/database.ts'
import { bare, decidedOf, gateOn, header, text, utf8, type World } from '../support/kafka/java-and-gate.ts'
import { freshTopic, javaOrSkip, kafkaOrSkip, withAdmin } from '../support/kafka/kafka.ts'
import { onKafka, startGateUnderTest } from '../support/running-gate.ts'

const { ConfigResourceTypes } = kafkajs
const brokers = kafkaOrSkip() ?? []

describe.runIf(brokers.length > 0 && javaOrSkip())('topics that others made', () => {
  const open: World[] = []
  afterAll(async () => {
    for (const one of open) await one.t.stop()
  })
  const opened = async (env: Record<string, string>, prepare?: Parameters<typeof gateOn>[2]): Promise<World> => {
    const made = await gateOn(brokers, env, prepare)
    open.push(made)
    return made
  }

  it('a record that unpacks to twenty times what its topic takes becomes a dead letter that fits, and the stream goes on', async () => {
    const w = await opened({ TOUCHSTONE_MAX_LISTING_BYTES: '500000' })
    const value = Buffer.alloc(20_000_000, '{"listingId":')
    const [place] = await w.send(
      [
        { partition: 0, key: utf8('bomb'), value, headers: [['trace', utf8('t')]] },
        { partition: 0, ...bare('after') },
      ],
      {
        compression: 'zstd',
        settings: { 'buffer.memory': String(64 << 20), 'batch.size': String(32 << 20) },
      },
    )
    const letters = await w.read('deadLetters')
    expect(letters).toHaveLength(1)
    const [letter] = letters
    if (letter === undefined) throw new Error('no dead letter')
    expect([text(letter.key), header(letter, 'trace'), header(letter, 'touchstone-error-offset')]).toEqual([
      'bomb',
      't',
      String(place?.offset),
    ])
    expect(JSON.parse(header(letter, 'touchstone-error-truncated') ?? '')).toEqual({ valueBytes: 20_000_000 })
    const kept = Buffer.from(letter.value ?? '', 'base64')
    expect(kept.byteLength).toBeGreaterThan(1_000_000)
    expect(kept.equals(value.subarray(0, kept.byteLength))).toBe(true)
    expect(decidedOf(await w.read('decisions')).map((d) => d.listingId)).toEqual(['after'])
  }, 60_000)

  it('with the producer’s time, whatever its clock says: decided at once, and no figure breaks', async () => {
    const settings = { 'message.timestamp.type': 'CreateTime', 'message.timestamp.after.max.ms': '9223372036854775807' }
    const w = await opened({}, async ({ listings }) => {
      await freshTopic(brokers, { name: listings, numPartitions: 3, settings })
    })
    const before = Date.now()
    const times = {
      year1970: 0,
      year2009: Date.UTC(2009, 0, 1),
      year9999: Date.UTC(9999, 0, 1),
      never: 9_000_000_000_000_000,
    }
    await w.send(Object.entries(times).map(([name, timestamp]) => ({ ...bare(name), timestamp })))
    const decided = decidedOf(await w.read('decisions'))
    expect(decided.map((d) => d.listingId).toSorted()).toEqual(Object.keys(times).toSorted())
    for (const { listingId, submittedAt } of decided) {
      const at = Date.parse(submittedAt)
      if (listingId === 'year2009') expect(at).toBe(times.year2009)
      else expect(at).toBeGreaterThanOrEqual(before)
    }
    const backlog = await w.t.gate.log.backlog(w.topics.listings, 'nobody', new Map())
    for (const { seconds } of backlog) expect(seconds).toBeGreaterThanOrEqual(0)
  }, 60_000)

  it('that take too little hold up their range loudly, and no other; it goes on when they are mended', async () => {
    const limit = (topic: string, value: string) =>
      withAdmin(brokers, (admin) =>
        admin.alterConfigs({
          validateOnly: false,
          resources: [
            { type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name: 'max.message.bytes', value }] },
          ],
        }),
      )
    const w = await opened({ TOUCHSTONE_PARTITIONS: '3' })
    await limit(w.topics.deadLetters, '10000')
    // One listing in every partition, and in one of them a dead letter that its topic does not take.
    await w.send([
      ...[0, 1, 2].map((partition) => ({ partition, key: utf8(`k-${partition}`), value: utf8('small') })),
      { key: utf8('k-0'), value: utf8('x'.repeat(50_000)) },
    ])
    const failing = await w.t.until('a range stands still', async () => {
      const found = Object.entries(w.t.gate.loops ?? {}).filter(([, loop]) => loop.trouble() !== undefined)
      return found.length > 0 && found
    })
    expect(failing).toHaveLength(1)
    expect(failing[0]?.[1].trouble()).toMatchObject({
      code: 'topics-wrong',
      message: expect.stringMatching(/dead-letters\.v1\[\d\] does not take .* max\.message\.bytes/) as string,
    })
    await w.t.until('the others go on', async () => (await w.t.gate.publisher.backlog()).rows <= 2)
    await limit(w.topics.deadLetters, '1100000')
    expect(
      (await w.read('deadLetters'))
        .map((r) => Buffer.from(r.value ?? '', 'base64').byteLength)
        .toSorted((a, b) => a - b),
    ).toEqual([5, 5, 5, 50_000])
    expect(failing[0]?.[1].trouble()).toBeUndefined()
  }, 60_000)
})

describe.runIf(brokers.length > 0)('a Kafka that another log made way for', () => {
  it('a store that read from the log in PostgreSQL does not go on in the middle of a Kafka', async () => {
    const { url, drop } = await freshDatabase()
    const database = { url, drop: async () => undefined }
    const env = { TOUCHSTONE_TOPIC_PREFIX: `moved-${Date.now()}`, TOUCHSTONE_PARTITIONS: '1' }
    const first = await startGateUnderTest(env, Promise.resolve(database))
    await first.submit({ listingId: 'L-1' })
    await first.settled()
    await first.stop()
    const moved = startGateUnderTest({ ...onKafka(brokers), ...env }, Promise.resolve(database), brokers)
    try {
      await expect(moved).rejects.toMatchObject({ code: 'settings-invalid' })
    } finally {
      await moved.then(async (t) => t.stop()).catch(() => undefined)
    }
    // Under other names it is another log.
    const other = await startGateUnderTest({}, Promise.resolve(database), brokers)
    await other.submit({ listingId: 'L-2' })
    expect((await other.settled()).decisions.map((d) => d.listingId)).toEqual(['L-2'])
    await other.stop()
    await drop()
  }, 60_000)
})
