// A batch that waits for strangers' hosts gives its lane away, as far as there is room. Real: screening and its parts; made up: pictures and store.
import { expect, it } from 'vitest'
import type { Gate } from '../../../../src/pipeline/assess.ts'
import { keepPictures } from '../../../../src/pipeline/pictures/keeping.ts'
import type { PictureStore } from '../../../../src/pipeline/pictures/ports.ts'
import { createScreening } from '../../../../src/pipeline/screening.ts'
import { createKeeping } from '../../../../src/pipeline/waiting/keeping.ts'
import { createRoom } from '../../../../src/pipeline/waiting/room.ts'
import type { GateStore } from '../../../../src/pipeline/ports.ts'
import type { TriedRecord } from '../../../../src/pipeline/settle.ts'
import { createTelemetry } from '../../../../src/telemetry.ts'
import { hash, seen } from '../banks/samples.ts'
import { batchOf, listing, recordAt, TOPICS } from './world.ts'
import { plainGate } from '../../../support/plain-gate.ts'

const turn = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

function start() {
  const hosts: (() => void)[] = []
  const commits: { listings: string[]; next: bigint }[] = []
  const gate: Gate = {
    ...plainGate(),
    pictures: {
      look: () => new Promise((resolve) => hosts.push(() => resolve([]))),
      keep: () => Promise.resolve(undefined),
    },
  }
  const store: Pick<GateStore, 'commit'> = {
    commit({ next }, _wanted, settle) {
      commits.push({ listings: settle(new Map(), new Date()).decisions.map((one) => one.listingId), next })
      return Promise.resolve('committed')
    },
  }
  const screen = createScreening({
    store: store as GateStore,
    gate: () => gate,
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
      const images = listingId.startsWith('slow') ? [{ url: 'https://silent.example/1.jpg' }] : undefined
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

it('has room for so many listings and bytes, and always for one batch in an empty one', () => {
  const room = createRoom({ listings: 10, bytes: 10 << 10 })
  const leave = room.enter(
    Array.from({ length: 20 }, (_, i) => recordAt(i)),
    20,
  )
  expect(leave).toBeDefined()
  expect(room.enter([recordAt(0)], 0)).toBeUndefined()
  leave?.()
  expect(room.enter([recordAt(0)], 9)).toBeDefined()
  expect(room.enter([recordAt(0)], 2)).toBeUndefined()
  expect(room.enter([recordAt(0)], 1)).toBeDefined()
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
