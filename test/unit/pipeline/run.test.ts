// What the loop says of itself while the store fails. Log and store are made up; nothing waits for real.
import { expect, it } from 'vitest'
import { topicNames } from '../../../src/events/topics.ts'
import type { Batch, BatchResult, Consumer, Log } from '../../../src/pipeline/log/ports.ts'
import type { GateStore } from '../../../src/pipeline/ports.ts'
import { startRun } from '../../../src/pipeline/run.ts'
import { createTelemetry } from '../../../src/telemetry.ts'

const TOPICS = topicNames('touchstone')
const away = () => new Error('lock time-out')
const batch: Batch = { topic: TOPICS.listings, partition: 1, from: 0n, next: 1n, end: 1n, records: [] }
const still = new AbortController().signal

function world(screen: () => Promise<BatchResult>, place: () => Promise<bigint> = async () => 0n) {
  let consumer: Consumer | undefined
  const assigned = [0, 1]
  const log = {
    subscribe(_options: unknown, given: Consumer) {
      consumer = given
      return {
        done: new Promise<void>(() => undefined),
        assigned: () => assigned,
        health: () => ({ renewedMs: 1, polledMs: 2 }),
        stop: async () => undefined,
      }
    },
  }
  // The store answers everything but the commit.
  const store = { place, nextDeadline: async () => undefined }
  const run = startRun({
    log: log as unknown as Log,
    store: store as unknown as GateStore,
    topics: TOPICS,
    group: 'gate',
    telemetry: createTelemetry({ level: 'silent' }),
    screen,
    maxRecords: 1,
    maxBytes: 1,
    concurrency: 1,
    isTransient: () => true,
  })
  if (consumer === undefined) throw new Error('nobody subscribed')
  return { run, consumer, assigned }
}

it('is failing until a batch is committed, however well the store answers other questions', async () => {
  const results: (() => Promise<BatchResult>)[] = [
    () => Promise.reject(away()),
    async () => 'moved',
    async () => 'committed',
  ]
  const { run, consumer } = world(() => results.shift()?.() ?? Promise.reject(away()))
  expect(await consumer.handle(batch, still)).toBe('moved')
  expect([...run.progress().failing.keys()]).toEqual([1])
  await consumer.place(TOPICS.listings, 1, 0n)
  expect([...run.progress().failing.keys()]).toEqual([1])
  expect(await consumer.handle(batch, still)).toBe('moved')
  expect([...run.progress().failing.keys()]).toEqual([1])
  expect(await consumer.handle(batch, still)).toBe('committed')
  expect(run.progress().failing.size).toBe(0)
  expect(run.progress().committedMs).toBeLessThan(10_000)
})

it('is failing while the place of a partition cannot be asked, and no longer', async () => {
  let failures = 2
  const { run, consumer } = world(
    async () => 'committed',
    async () => {
      if ((failures -= 1) >= 0) throw away()
      return 3n
    },
  )
  const placed = consumer.place(TOPICS.listings, 0, 0n)
  await Promise.resolve()
  await Promise.resolve()
  expect([...run.progress().failing.keys()]).toEqual([0])
  expect(await placed).toBe(3n)
  expect(run.progress().failing.size).toBe(0)
})

it('says where a batch is in hand, and forgets what was given away', async () => {
  let finish: ((result: BatchResult) => void) | undefined
  const { run, consumer, assigned } = world(() => new Promise((resolve) => (finish = resolve)))
  const handled = consumer.handle(batch, still)
  expect([...run.progress().busy]).toEqual([1])
  expect(run.progress()).toMatchObject({ held: [0, 1], renewedMs: 1, polledMs: 2 })
  assigned.pop()
  expect([...run.progress().busy]).toEqual([])
  finish?.('moved')
  await handled

  const failing = world(() => Promise.reject(away()))
  await failing.consumer.handle(batch, still)
  failing.assigned.pop()
  expect(failing.run.progress().failing.size).toBe(0)
})
