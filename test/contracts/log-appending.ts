// Contract of the log, part one: what was appended is there, whole, in order and for good.
import { expect, test } from 'vitest'
import { headerValues } from '../../src/events/header.ts'
import type { Appended, NewRecord } from '../../src/pipeline/log/ports.ts'
import { client, createLedger, follow, record, string, text, topicOf, type LogHarness } from './log-support.ts'

export function appending(harness: () => LogHarness): void {
  test('bytes of key, value and headers come back untouched', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 1)
    const every = Uint8Array.from({ length: 256 }, (_, i) => i)
    const written: NewRecord[] = [
      {
        key: text('plain'),
        value: text('{"a":1}'),
        headers: { ce_type: text('x'), 'content-type': text('application/json') },
      },
      { key: every, value: every, headers: { binary: every, empty: new Uint8Array(0), 'ключ ключа': text('й') } },
      { key: new Uint8Array(0), value: new Uint8Array(0), headers: {} },
      { key: null, value: text('no key'), headers: {} },
      { key: text('tombstone'), value: null, headers: { why: text('gone') } },
      { key: null, value: null, headers: {} },
      { key: text('not utf-8'), value: Uint8Array.of(0xff, 0xfe, 0x00, 0xc3, 0x28), headers: {} },
      { key: text('quotes'), value: text('"\\{},NULL\n\'$1'), headers: { '"\\{}': text('\\x00') } },
      {
        key: text('twice'),
        value: text('v'),
        headers: {
          twice: [text('first'), text('second')],
          'one of them without a value': [null, every, null],
          ['__proto__']: [text('a'), text('b')],
        },
      },
      { key: text('no value'), value: text('v'), headers: { missing: null, after: text('x') } },
      { key: text('large'), value: new Uint8Array(1 << 20).map((_, i) => i * 31), headers: {} },
    ]
    const appended = await log.append(topic, written)
    const back = await log.read(topic, 0, 0n, 100)
    expect(back).toHaveLength(written.length)
    expect(appended.map((a) => a.partition)).toEqual(written.map(() => 0))
    for (const [i, expected] of written.entries()) {
      const got = back.find((r) => r.offset === appended[i]?.offset)
      expect(plain(got ?? record(null, 'missing'))).toEqual(plain(expected))
    }
  })

  test('a header may have any name', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 1)
    const headers = Object.fromEntries([
      ['__proto__', text('a')],
      ['constructor', text('b')],
      ['7', text('c')],
    ])
    await log.append(topic, [{ key: null, value: null, headers }])
    const [got] = await log.read(topic, 0, 0n, 1)
    expect(Object.keys(got?.headers ?? {}).sort()).toEqual(['7', '__proto__', 'constructor'])
    expect(string(Object.getOwnPropertyDescriptor(got?.headers ?? {}, '__proto__')?.value)).toBe('a')
  })

  test('all records of a key are in one partition and in their order, and another client sees them as soon as append resolves', async () => {
    const [log, other] = [await client(harness()), await client(harness())]
    const topic = await topicOf(log, 4)
    const seen = new Map<string, Set<number>>()
    for (let round = 0; round < 5; round += 1) {
      const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'a', 'b', 'c']
      const appended = await log.append(
        topic,
        keys.map((key, i) => record(key, `${key}-${round}-${i}`)),
      )
      for (const [i, key] of keys.entries()) {
        const { partition, offset } = at(appended, i)
        seen.set(key, (seen.get(key) ?? new Set()).add(partition))
        const [back] = await other.read(topic, partition, offset, 1)
        expect([back?.offset, string(back?.value ?? null)]).toEqual([offset, `${key}-${round}-${i}`])
      }
    }
    for (const partitions of seen.values()) expect(partitions.size).toBe(1)
    for (const { partition } of await log.ranges(topic)) {
      const values = (await log.read(topic, partition, 0n, 100)).map((r) => string(r.value) ?? '')
      for (const key of seen.keys()) {
        const own = values.filter((value) => value.startsWith(`${key}-`))
        expect(own).toEqual([...own].sort())
      }
    }
  })

  test('records without a key reach more than one partition', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 3)
    const used = new Set<number>()
    for (let i = 0; i < 30; i += 1)
      for (const { partition } of await log.append(topic, [record(null, 'x')])) used.add(partition)
    expect(used.size).toBeGreaterThan(1)
  })

  test('fifty appenders at once lose and reorder nothing, and a reader at the tip never passes a record that appears later', async () => {
    const clients = await Promise.all(Array.from({ length: 5 }, async () => client(harness())))
    const reader = await client(harness())
    const topic = await topicOf(reader, 3)
    const ledger = createLedger()
    follow(reader, { topic, maxRecords: 7 }, ledger)
    const [appenders, each] = [50, 20]
    const acknowledged: Appended[] = []
    await Promise.all(
      Array.from({ length: appenders }, async (_, a) => {
        for (let i = 0; i < each; i += 1) {
          const log = clients[a % clients.length] ?? reader
          acknowledged.push(...(await log.append(topic, [record(`key-${a}`, `${a}/${i}`)])))
        }
      }),
    )
    await ledger.until(() => ledger.records().length >= appenders * each)
    expect(new Set(acknowledged.map((a) => `${a.partition}@${a.offset}`)).size).toBe(appenders * each)
    const values = ledger.values()
    expect(values).toHaveLength(appenders * each)
    for (let a = 0; a < appenders; a += 1) {
      const own = values.filter((value) => value?.startsWith(`${a}/`))
      expect(own).toEqual(Array.from({ length: each }, (_, i) => `${a}/${i}`))
    }
    // Each batch begins where the one before it ended: nothing was skipped and filled in later.
    for (const partition of [0, 1, 2]) {
      const ends = ledger.batches.filter(({ batch }) => batch.partition === partition).map(({ batch }) => batch)
      for (const [i, batch] of ends.entries()) if (i > 0) expect(batch.from).toBe(ends[i - 1]?.next)
    }
  })

  test('offsets rise within a partition and the log says when it took a record', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 1)
    const appended = await log.append(
      topic,
      Array.from({ length: 20 }, (_, i) => record('k', String(i))),
    )
    expect(appended.map((a) => a.offset)).toEqual(
      Array.from({ length: 20 }, (_, i) => at(appended, 0).offset + BigInt(i)),
    )
    const times = (await log.read(topic, 0, 0n, 20)).map((r) => r.appendedAt.getTime())
    expect(times).toEqual([...times].sort((a, b) => a - b))
    expect(Math.abs((times[0] ?? 0) - Date.now())).toBeLessThan(60_000)
  })

  test('an append of nothing does nothing, and a topic that nobody made is refused', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 2)
    expect(await log.append(topic, [])).toEqual([])
    expect(await log.ranges(topic)).toEqual([
      { partition: 0, low: 0n, high: 0n },
      { partition: 1, low: 0n, high: 0n },
    ])
    await expect(log.append(`${topic}-missing`, [record('k', 'v')])).rejects.toThrow(`${topic}-missing`)
  })

  test('a topic that is there keeps its partition count', async () => {
    const [log, other] = [await client(harness()), await client(harness())]
    const topic = await topicOf(log, 2)
    await Promise.all([log, other].map(async (each) => each.ensureTopic(topic, { partitions: 5, retentionHours: 1 })))
    expect(await other.ranges(topic)).toHaveLength(2)
  })
}

function at(appended: readonly Appended[], i: number): Appended {
  const found = appended[i]
  if (found === undefined) throw new Error(`Nothing was said about record ${i}`)
  return found
}

const hex = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString('hex'))
const plain = (r: NewRecord): unknown => ({
  key: hex(r.key),
  value: hex(r.value),
  headers: Object.fromEntries(Object.entries(r.headers).map(([name, value]) => [name, headerValues(value).map(hex)])),
})
