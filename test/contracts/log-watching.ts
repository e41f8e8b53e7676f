// Contract of the log, part five: what it says of itself to those who watch it: what waits, who holds it, how it does.
import { expect, test } from 'vitest'
import { client, createLedger, eventually, follow, groupOf, record, topicOf, type LogHarness } from './log-support.ts'

export function watching(harness: () => LogHarness): void {
  test('what waits is counted from the offset that was asked, with the age of the first record of it', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 2)
    const offsets: bigint[] = []
    for (let i = 0; i < 5; i += 1) {
      const [at] = await log.append(topic, [record('k', String(i))])
      if (at !== undefined) offsets.push(at.offset)
      if (i === 0) await new Promise((resolve) => setTimeout(resolve, 300))
    }
    const ranges = await log.ranges(topic)
    const partition = ranges.findIndex((range) => range.high > 0n)
    const ask = async (from?: bigint) => {
      const all = await log.backlog(topic, groupOf(topic), new Map(from === undefined ? [] : [[partition, from]]))
      expect(all.map((one) => one.partition)).toEqual([0, 1])
      expect(all[1 - partition]).toEqual({ partition: 1 - partition, records: 0, seconds: 0, held: false })
      return all[partition]
    }
    const whole = await ask()
    expect(whole).toMatchObject({ records: 5, held: false })
    const rest = await ask(offsets[1])
    expect(rest?.records).toBe(4)
    expect((whole?.seconds ?? 0) - (rest?.seconds ?? 0)).toBeGreaterThan(0.2)
    expect(await ask((offsets[4] ?? 0n) + 1n)).toMatchObject({ records: 0, seconds: 0 })
    // Offsets beyond the end are somebody's mistake, not a negative backlog.
    expect(await ask(99n)).toMatchObject({ records: 0, seconds: 0 })
  })

  test('it says whether a live member of the group holds a partition, to other clients too', async () => {
    const [log, other] = [await client(harness()), await client(harness())]
    const topic = await topicOf(log, 2)
    const held = async (group: string) => (await other.backlog(topic, group, new Map())).map((one) => one.held)
    expect(await held(groupOf(topic))).toEqual([false, false])
    const subscription = follow(log, { topic }, createLedger())
    await eventually(() => subscription.assigned().length === 2)
    expect(await held(groupOf(topic))).toEqual([true, true])
    expect(await held(`another-${topic}`)).toEqual([false, false])
    const { renewedMs, polledMs } = subscription.health()
    expect(Math.max(renewedMs, polledMs)).toBeLessThan(harness().leaseMs)
    expect(log.appendWaitMs()).toBe(0)
    await subscription.stop()
    await eventually(async () => (await held(groupOf(topic))).every((one) => !one))
  })
}
