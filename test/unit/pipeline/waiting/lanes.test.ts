// A batch that waits for strangers' hosts gives its lane away, as far as there is room. Real: screening and its parts; made up: pictures and store.
import { expect, it } from 'vitest'
import type { Gate } from '../../../../src/pipeline/assess.ts'
import { keepPictures } from '../../../../src/pipeline/pictures/keeping.ts'
import type { PictureSource, PictureStore } from '../../../../src/pipeline/pictures/ports.ts'
import { createScreening } from '../../../../src/pipeline/screening.ts'
import { createKeeping } from '../../../../src/pipeline/waiting/keeping.ts'
import { createRoom } from '../../../../src/pipeline/waiting/room.ts'
import type { LogRecord } from '../../../../src/pipeline/log/ports.ts'
import type { GateStore } from '../../../../src/pipeline/ports.ts'
import type { TriedRecord } from '../../../../src/pipeline/settle.ts'
import { createTelemetry } from '../../../../src/telemetry.ts'
import { hash, seen } from '../banks/samples.ts'
import { batchOf, listing, recordAt, TOPICS } from './world.ts'
import { plainGate } from '../../../support/plain-gate.ts'

const turn = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

interface Parts {
  readonly look?: PictureSource['look']
  readonly pictures?: PictureStore
  /** Commits have their answer only then. */
  readonly answer?: Promise<void>
}

function start({ look, pictures, answer }: Parts = {}) {
  const hosts: (() => void)[] = []
  const commits: { listings: string[]; next: bigint }[] = []
  const gate: Gate = {
    ...plainGate(),
    pictures: {
      look: look ?? (() => new Promise((resolve) => hosts.push(() => resolve([])))),
      keep: () => Promise.resolve(undefined),
    },
  }
  const store: Pick<GateStore, 'commit'> = {
    async commit({ next }, _wanted, settle) {
      commits.push({ listings: settle(new Map(), new Date()).decisions.map((one) => one.listingId), next })
      await answer
      return 'committed'
    },
  }
  const screen = createScreening({
    store: store as GateStore,
    gate: () => gate,
    ...(pictures === undefined ? {} : { pictures }),
    topics: TOPICS,
    group: 'g',
    draw: () => false,
    telemetry: createTelemetry({ level: 'silent' }),
    maxListingBytes: 100_000_000,
    maxDeadLetterBytes: 1 << 20,
    isDataError: () => false,
  })
  const send = (from: number, names: readonly string[], bytes = 0) => {
    const batch = batchOf(from, names.length)
    const records = batch.records.map((record, i) => {
      const listingId = names[i] ?? ''
      const host = listingId.startsWith('slow') ? 'silent' : listingId === 'brought' ? 'brings' : undefined
      const images = host === undefined ? undefined : [{ url: `https://${host}.example/1.jpg` }]
      const body = { listingId, revision: 1, sellerId: 'S', title: 'chair', images, padding: 'x'.repeat(bytes) }
      return { ...record, value: Buffer.from(JSON.stringify(body)) }
    })
    return { ...batch, records }
  }
  return { hosts, commits, screen, send }
}

it('gives its lane away when only pictures are missing, and what is done goes ahead; a quick one keeps it to its end', async () => {
  const { hosts, commits, screen, send } = start()
  const { signal } = new AbortController()
  const gave: string[] = []
  const slow = screen(send(0, ['A', 'slow', 'B']), signal, () => gave.push('slow'))
  await expect.poll(() => gave).toEqual(['slow'])
  expect(commits).toEqual([{ listings: ['A', 'B'], next: 1n }])
  // Quick, but behind a slow one: done at once, and in nobody's way until the offset passes.
  const behind = screen(send(3, ['C']), signal, () => gave.push('behind'))
  await expect.poll(() => gave).toContain('behind')
  expect(commits.at(-1)).toEqual({ listings: ['C'], next: 1n })
  for (const answer of hosts) answer()
  expect(await Promise.all([slow, behind])).toEqual(['committed', 'committed'])
  expect(commits.at(-1)).toEqual({ listings: ['slow'], next: 4n })
  expect(await screen(send(4, ['D']), signal, () => gave.push('quick'))).toBe('committed')
  expect(gave.filter((one) => one === 'quick')).toEqual([])
})

it('keeps its lane where the room is full, and gives it away when somebody left', async () => {
  const { hosts, screen, send } = start()
  const gave: string[] = []
  const enter = (name: string, bytes: number) =>
    screen(send(0, [name], bytes), new AbortController().signal, () => gave.push(name))
  const first = enter('slow-1', 60 << 20)
  await expect.poll(() => gave, { timeout: 5_000 }).toEqual(['slow-1'])
  const second = enter('slow-2', 10 << 20)
  await turn(400)
  expect(gave).toEqual(['slow-1'])
  hosts[0]?.()
  await first
  await expect.poll(() => gave).toEqual(['slow-1', 'slow-2'])
  hosts[1]?.()
  expect(await second).toBe('committed')
})

it('gives no lane away for a batch that has failed before a commit of it had its answer', async () => {
  const look = Promise.withResolvers<never>()
  const answer = Promise.withResolvers<void>()
  const { commits, screen, send } = start({ look: () => look.promise, answer: answer.promise })
  let gave = 0
  const failed = screen(send(0, ['slow', 'A']), new AbortController().signal, () => (gave += 1))
  await expect.poll(() => commits).toHaveLength(1)
  look.reject(new Error('a bug of ours'))
  await expect(failed).rejects.toThrow('bug')
  answer.resolve()
  await turn(20)
  expect(gave).toBe(0)
})

it('keeps no pictures of a batch that is lost, also where a commit of its line has no answer yet', async () => {
  const answer = Promise.withResolvers<void>()
  const noted: unknown[] = []
  const { commits, screen, send } = start({
    look: ([image], until) =>
      image?.url?.includes('brings') === true
        ? Promise.resolve([seen(hash('x'))])
        : new Promise((resolve) => until?.addEventListener('abort', () => resolve([]))),
    pictures: {
      noteShown: (shown: unknown) => Promise.resolve(void noted.push(shown)),
      glance: () => Promise.resolve(new Map()),
    } as unknown as PictureStore,
    answer: answer.promise,
  })
  const lost = new AbortController()
  const first = screen(send(0, ['slow', 'A']), lost.signal)
  await expect.poll(() => commits).toHaveLength(1)
  const second = screen(send(2, ['brought', 'slow']), lost.signal)
  await turn(20)
  lost.abort()
  await turn(250)
  expect(noted).toEqual([])
  answer.resolve()
  expect(await Promise.all([first, second])).toEqual(['moved', 'moved'])
})

it('has room for so many listings and bytes, and always for one batch in an empty one', () => {
  const room = createRoom({ listings: 10, bytes: 10 << 10 })
  const settled = (missing: number) => ({ missing, left: 0 })
  const leave = room.enter(
    Array.from({ length: 20 }, (_, i) => recordAt(i)),
    settled(20),
  )
  expect(leave).toBeDefined()
  expect(room.enter([recordAt(0)], settled(0))).toBeUndefined()
  leave?.()
  expect(room.enter([recordAt(0)], settled(9))).toBeDefined()
  expect(room.enter([recordAt(0)], settled(2))).toBeUndefined()
  expect(room.enter([recordAt(0)], settled(1))).toBeDefined()
})

it('counts what is not settled with its evidence, and headers: strangers choose how long those are', () => {
  const sizes = { listings: 10, bytes: 20 << 10 }
  const others = (record: LogRecord, left: number): number => {
    const room = createRoom(sizes)
    room.enter([record], { missing: 0, left })
    let count = 0
    while (room.enter([recordAt(0)], { missing: 0, left: 0 }) !== undefined) count += 1
    return count
  }
  const plain = others(recordAt(0), 0)
  expect(others(recordAt(0), 1)).toBe(plain - 4)
  const headers = { a: Buffer.alloc(2 << 10), b: [Buffer.alloc(2 << 10), null] }
  expect(others({ ...recordAt(0), headers }, 0)).toBe(plain - 4)
})

it('holds nobody up by a picture that must be got again to be kept', async () => {
  const put: number[] = []
  const pictured: TriedRecord = { record: recordAt(1), partition: 0, tried: listing('P', 1) }
  if (pictured.tried.kind !== 'ok' || pictured.tried.value.kind !== 'listing') throw new Error('not a listing')
  Object.assign(pictured.tried.value.assessment, { pictures: [seen(hash('x'))] })
  const got = Promise.withResolvers<void>()
  const keeping = createKeeping(
    { put: (i) => put.push(i), behindTheirOwn: () => new Set() },
    (records) => got.promise.then(() => records),
    () => undefined,
  )
  keeping.put(1, pictured)
  keeping.put(0, { record: recordAt(0), partition: 0, tried: listing('Q', 1) })
  expect(put).toEqual([])
  keeping.goAhead()
  expect(put).toEqual([0])
  keeping.put(2, { record: recordAt(2), partition: 0, tried: listing('R', 1) })
  expect(put).toEqual([0, 2])
  got.resolve()
  await keeping.done(true)
  expect(put).toEqual([0, 2, 1])
})

it('keeps the pictures of an edit behind a revision that is not settled: the case of that one may carry over', async () => {
  const edit = listing('P', 2)
  if (edit.kind !== 'ok' || edit.value.kind !== 'listing') throw new Error('not a listing')
  const { assessment } = edit.value
  const judged = { ...edit.value, assessment: { ...assessment, pictures: [seen(hash('x'))] } }
  const source = { look: () => Promise.resolve([]), keep: () => Promise.resolve(undefined) }
  const store = {
    noteShown: () => Promise.resolve(),
    glance: () => Promise.resolve(new Map()),
    known: (sha256s: readonly string[]) => Promise.resolve(new Set(sha256s)),
  } as unknown as PictureStore
  const both = [false, true].map((behind) => ({ ...judged, behind }))
  const keepsakes = await keepPictures(both, source, store, () => false)
  expect([...keepsakes].map(([{ behind }, { kept }]) => [behind, kept !== undefined])).toEqual([
    [false, false],
    [true, true],
  ])
})
