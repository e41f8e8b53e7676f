// Contract of the log, part four: failures are loud, stopping drains, and an offset that the log does not hold is never guessed.
import { expect, test } from 'vitest'
import { client, createLedger, eventually, follow, record, text, topicOf, type LogHarness } from './log-support.ts'

export function stopping(harness: () => LogHarness): void {
  test('a handle that rejects stops the subscription loudly, and its partitions go to others', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 2)
    const bug = new Error('a bug in the consumer')
    const broken = follow(
      log,
      { topic },
      { place: async (_t, _p, low) => low, handle: async () => Promise.reject(bug) },
    )
    await log.append(topic, [record('k', 'v')])
    await expect(broken.done).rejects.toBe(bug)
    expect(broken.assigned()).toEqual([])
    const ledger = createLedger()
    follow(log, { topic }, ledger)
    await ledger.until(() => ledger.values().length === 1)
  })

  test('so does a place that rejects', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 1)
    const bug = new Error('no such place')
    const broken = follow(log, { topic }, { place: async () => Promise.reject(bug), handle: async () => 'committed' })
    await expect(broken.done).rejects.toBe(bug)
  })

  test('and a topic that nobody made', async () => {
    const log = await client(harness())
    const broken = follow(log, { topic: 'contract-missing.v1' }, createLedger())
    await expect(broken.done).rejects.toThrow('contract-missing.v1')
  })

  test('stop tells the batch in hand to hurry, waits for it, begins no other, and resolves done', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 3)
    await log.append(
      topic,
      Array.from({ length: 30 }, (_, i) => record(`key-${i}`, String(i))),
    )
    const events: string[] = []
    let begun = 0
    const subscription = follow(
      log,
      { topic, maxRecords: 2, concurrency: 1 },
      {
        place: async (_t, _p, low) => low,
        handle: async (_batch, lost) => {
          begun += 1
          await new Promise<void>((resolve) => lost.addEventListener('abort', () => resolve(), { once: true }))
          events.push('told')
          await new Promise((resolve) => setTimeout(resolve, 20))
          events.push('finished')
          return 'committed'
        },
      },
    )
    await eventually(() => begun === 1)
    await subscription.stop()
    events.push('stopped')
    await subscription.done
    expect(events).toEqual(['told', 'finished', 'stopped'])
    expect(begun).toBe(1)
    expect(subscription.assigned()).toEqual([])
  })

  test('a handle that gives up by throwing the reason of its signal is no failure', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 1)
    await log.append(topic, [record('k', 'v')])
    let begun = false
    const subscription = follow(
      log,
      { topic },
      {
        place: async (_t, _p, low) => low,
        handle: async (_batch, lost) => {
          begun = true
          await new Promise<void>((resolve) => lost.addEventListener('abort', () => resolve(), { once: true }))
          lost.throwIfAborted()
          return 'committed'
        },
      },
    )
    await eventually(() => begun)
    await subscription.stop()
    await expect(subscription.done).resolves.toBeUndefined()
  })

  test('stop at once after subscribe, and twice, is fine', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 1)
    const subscription = follow(log, { topic }, createLedger())
    await Promise.all([subscription.stop(), subscription.stop()])
    await subscription.done
  })

  test('close stops the subscriptions and finishes the appends', async () => {
    const [log, other] = [await harness().open(), await client(harness())]
    const topic = await topicOf(log, 1)
    const subscription = follow(log, { topic }, createLedger())
    await eventually(() => subscription.assigned().length === 1)
    const appends = Array.from({ length: 20 }, async (_, i) => log.append(topic, [record('k', String(i))]))
    await Promise.allSettled([Promise.all(appends), log.close()])
    await subscription.done
    const results = await Promise.allSettled(appends)
    const [range] = await other.ranges(topic)
    expect(results.map((r) => r.status)).toEqual(results.map(() => 'fulfilled'))
    expect(range?.high).toBe(20n)
  })

  for (const [name, position, low] of [
    ['below what is held', 2n, 5n],
    ['beyond the end', 11n, 0n],
  ] as const) {
    test(`an offset ${name} stops the subscription and is never corrected`, async () => {
      const log = await client(harness())
      const topic = await topicOf(log, 1)
      await log.append(
        topic,
        Array.from({ length: 10 }, (_, i) => record('k', String(i))),
      )
      if (low > 0n) await harness().expire(topic, 0, low)
      const handled: bigint[] = []
      const subscription = follow(
        log,
        { topic },
        {
          place: async () => position,
          handle: async (batch) => {
            handled.push(batch.from)
            return 'committed'
          },
        },
      )
      await expect(subscription.done).rejects.toMatchObject({ code: 'offset-out-of-range' })
      expect(handled).toEqual([])
    })
  }

  test('an offset at the end is right: reading waits there', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 1)
    await log.append(topic, [record('k', 'old')])
    const ledger = createLedger(new Map([[0, 1n]]))
    const subscription = follow(log, { topic }, ledger)
    await eventually(() => subscription.assigned().length === 1)
    await log.append(topic, [record('k', 'new')])
    await ledger.until(() => ledger.values().length === 1)
    expect(ledger.values()).toEqual(['new'])
  })

  test('records that are removed before they were read stop the subscription', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 1)
    // Far more than a batch: what is in memory already may still be handled.
    for (let i = 0; i < 40; i += 1)
      await log.append(topic, [{ key: text('k'), value: new Uint8Array(20_000), headers: {} }])
    const state = { begun: false, next: 0n }
    let release = (): void => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    const subscription = follow(
      log,
      { topic, maxRecords: 2, maxBytes: 50_000 },
      {
        place: async (_t, _p, low) => low,
        handle: async (batch) => {
          state.begun = true
          await gate
          expect(batch.from).toBe(state.next)
          state.next = batch.next
          return 'committed'
        },
      },
    )
    await eventually(() => state.begun)
    await harness().expire(topic, 0, 40n)
    release()
    await expect(subscription.done).rejects.toMatchObject({ code: 'offset-out-of-range' })
    expect(state.next).toBeLessThan(40n)
  })
}
