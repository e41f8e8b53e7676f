// Contract of the log, part three: members of a group share the partitions, also when one joins, leaves, is killed or freezes.
import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import type { Batch, Log } from '../../src/pipeline/log/ports.ts'
import type { Ask } from './log-member.ts'
import {
  client,
  createLedger,
  DEFAULTS,
  eventually,
  follow,
  groupOf,
  record,
  topicOf,
  type Ledger,
  type LogHarness,
} from './log-support.ts'

export function sharing(harness: () => LogHarness): void {
  test('members that join and leave share all partitions fairly, and every record takes effect once', async () => {
    const logs = [await client(harness()), await client(harness()), await client(harness())] as const
    const topic = await topicOf(logs[0], 6)
    const ledger = createLedger()
    const feed = feeder(logs[0], topic)
    const first = follow(logs[0], { topic }, ledger.as('first'))
    await eventually(() => first.assigned().length === 6)
    const second = follow(logs[1], { topic }, ledger.as('second'))
    const third = follow(logs[2], { topic }, ledger.as('third'))
    const members = [first, second, third]
    await eventually(() => members.every((m) => m.assigned().length === 2))
    expect(members.flatMap((m) => m.assigned()).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5])
    await ledger.until(() => ['second', 'third'].every((name) => ledger.batches.some((b) => b.by === name)))
    await second.stop()
    expect(second.assigned()).toEqual([])
    await eventually(() => first.assigned().length === 3 && third.assigned().length === 3)
    await first.stop()
    await eventually(() => third.assigned().length === 6)
    const sent = await feed.stop()
    await ledger.until(() => ledger.records().length >= sent)
    expectOnce(ledger, sent)
  })

  test('of two live members no two are ever given the same partition at once', async () => {
    const [one, two] = [await client(harness()), await client(harness())]
    const topic = await topicOf(one, 4)
    const busy = new Map<number, number>()
    let overlaps = 0
    const ledger = createLedger()
    const watching = (name: string) => ({
      place: ledger.place,
      handle: async (batch: Batch) => {
        if ((busy.get(batch.partition) ?? 0) > 0) overlaps += 1
        busy.set(batch.partition, (busy.get(batch.partition) ?? 0) + 1)
        await new Promise((resolve) => setTimeout(resolve, 3))
        busy.set(batch.partition, (busy.get(batch.partition) ?? 0) - 1)
        return ledger.commit(batch, name)
      },
    })
    const feed = feeder(one, topic)
    follow(one, { topic }, watching('one'))
    for (let i = 0; i < 5; i += 1) {
      const guest = follow(two, { topic }, watching('two'))
      await eventually(() => guest.assigned().length === 2)
      await guest.stop()
    }
    const sent = await feed.stop()
    await ledger.until(() => ledger.records().length >= sent)
    expect(overlaps).toBe(0)
    expectOnce(ledger, sent)
  })

  test('a partition goes to another member only when the batch in hand has been given up', async () => {
    const [one, two] = [await client(harness()), await client(harness())]
    const topic = await topicOf(one, 2)
    await one.append(
      topic,
      Array.from({ length: 20 }, (_, i) => record(`key-${i}`, String(i))),
    )
    const ledger = createLedger()
    const events: string[] = []
    const slow = follow(
      one,
      { topic },
      {
        place: ledger.place,
        handle: async (batch, lost) => {
          events.push(`first begins ${batch.partition}`)
          await new Promise<void>((resolve) => lost.addEventListener('abort', () => resolve(), { once: true }))
          // To put away what it had begun takes it a while.
          await new Promise((resolve) => setTimeout(resolve, harness().leaseMs / 3))
          events.push(`first ends ${batch.partition}`)
          lost.throwIfAborted()
          return 'moved'
        },
      },
    )
    await eventually(() => events.length === 2)
    follow(
      two,
      { topic },
      {
        place: ledger.place,
        handle: async (batch) => {
          events.push(`second begins ${batch.partition}`)
          return ledger.commit(batch, 'second')
        },
      },
    )
    await eventually(() => events.some((each) => each.startsWith('second')))
    const taken = events.find((each) => each.startsWith('second'))?.at(-1) ?? ''
    expect(events.indexOf(`first ends ${taken}`)).toBeGreaterThan(0)
    expect(events.indexOf(`first ends ${taken}`)).toBeLessThan(events.indexOf(`second begins ${taken}`))
    await slow.stop()
    await ledger.until(() => ledger.records().length === 20)
  })

  test('groups read independently of each other', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 2)
    const [a, b] = [createLedger(), createLedger()]
    follow(log, { topic, group: `a-${topic}` }, a)
    follow(log, { topic, group: `b-${topic}` }, b)
    await log.append(
      topic,
      Array.from({ length: 10 }, (_, i) => record(`k${i}`, String(i))),
    )
    await Promise.all([a.until(() => a.records().length === 10), b.until(() => b.records().length === 10)])
  })

  test('more members than partitions: some wait, and step in when another leaves', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 1)
    const ledger = createLedger()
    const first = follow(log, { topic }, ledger.as('first'))
    const second = follow(log, { topic }, ledger.as('second'))
    await eventually(() => first.assigned().length + second.assigned().length === 1)
    await (first.assigned().length === 1 ? first : second).stop()
    await eventually(() => first.assigned().length + second.assigned().length === 1)
    await log.append(topic, [record('k', 'after')])
    await ledger.until(() => ledger.records().length === 1)
  })

  test('the partitions of a killed process move on when its lease ends', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 4)
    const ledger = createLedger()
    const feed = feeder(log, topic)
    const child = member(harness(), topic, ledger)
    await ledger.until(() => ledger.batches.some((b) => b.by === 'child'))
    const survivor = follow(log, { topic }, ledger.as('survivor'))
    await eventually(() => survivor.assigned().length === 2)
    child.kill('SIGKILL')
    await eventually(() => survivor.assigned().length === 4)
    const sent = await feed.stop()
    await ledger.until(() => ledger.records().length >= sent)
    expectOnce(ledger, sent)
  })

  test('a frozen process loses its partitions; awake again it does no harm and joins anew', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 4)
    const ledger = createLedger()
    const feed = feeder(log, topic)
    const child = member(harness(), topic, ledger)
    await ledger.until(() => ledger.batches.some((b) => b.by === 'child'))
    const survivor = follow(log, { topic }, ledger.as('survivor'))
    await eventually(() => survivor.assigned().length === 2)
    child.kill('SIGSTOP')
    await eventually(() => survivor.assigned().length === 4)
    child.kill('SIGCONT')
    await eventually(() => survivor.assigned().length === 2)
    const before = ledger.batches.length
    await ledger.until(() => ledger.batches.slice(before).some((b) => b.by === 'child'))
    const sent = await feed.stop()
    await ledger.until(() => ledger.records().length >= sent)
    expectOnce(ledger, sent)
  })
}

// Enough that every partition has some.
const KEYS = 24

/** Appends a few records again and again until it is stopped; answers how many. */
function feeder(log: Log, topic: string): { stop(): Promise<number> } {
  let [sent, on] = [0, true]
  const feeding = (async () => {
    while (on) {
      await log.append(
        topic,
        Array.from({ length: KEYS }, (_, i) => record(`key-${i}`, `${i}/${sent / KEYS}`)),
      )
      sent += KEYS
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  const stop = async (): Promise<number> => {
    on = false
    await feeding
    return sent
  }
  onTestFinished(async () => void (await stop()))
  return { stop }
}

function expectOnce(ledger: Ledger, sent: number): void {
  const values = ledger.values()
  expect(values).toHaveLength(sent)
  for (let key = 0; key < KEYS; key += 1) {
    const own = values.filter((value) => value?.startsWith(`${key}/`))
    expect(own).toEqual(Array.from({ length: sent / KEYS }, (_, i) => `${key}/${i}`))
  }
}

/** A member that is a process of its own; its ledger stays here, where two processes can meet. */
function member(harness: LogHarness, topic: string, ledger: Ledger): ChildProcess {
  const child = fork(
    fileURLToPath(new URL('log-member.ts', import.meta.url)),
    [JSON.stringify({ ...harness.process, options: { ...DEFAULTS, topic, group: groupOf(topic) } })],
    { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  )
  child.on('message', (ask: Ask) => {
    const answer =
      ask.kind === 'place'
        ? ledger.place(topic, ask.partition, ask.low)
        : Promise.resolve(ledger.commit(ask.batch, 'child'))
    void answer.then((value) => child.connected && child.send({ id: ask.id, value }, () => undefined))
  })
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  })
  return child
}
