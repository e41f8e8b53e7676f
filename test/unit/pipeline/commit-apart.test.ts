// A batch of which the store cannot take one record. Real: the way apart; made up: a store that checks its offset.
import { afterEach, expect, it } from 'vitest'
import { commitOrApart } from '../../../src/pipeline/commit-apart.ts'
import { ok, type Outcome } from '../../../src/pipeline/outcome.ts'
import type { Batch, BatchResult } from '../../../src/pipeline/log/ports.ts'
import { createTelemetry } from '../../../src/telemetry.ts'

class Unfit extends Error {}
const lines: string[] = []
const telemetry = createTelemetry({ level: 'error', destination: { write: (line: string) => void lines.push(line) } })
afterEach(() => void lines.splice(0))
/** Offsets with a hole, as logs have them, and control records at the end. */
const OFFSETS = [7n, 9n, 10n]
const batch: Batch = { topic: 't', partition: 0, from: 5n, next: 20n, end: 20n, records: [] }
const records = OFFSETS.map((offset) => ({
  record: { key: null, value: null, headers: {}, offset, appendedAt: new Date(0) },
  partition: 0,
  tried: ok(offset),
}))

function world(fault: (offset: bigint) => Error | undefined) {
  let at = batch.from
  const taken: [bigint, string][] = []
  const commit = async (
    one: Batch,
    some: readonly { record: { offset: bigint }; tried: Outcome<bigint> }[],
  ): Promise<BatchResult> => {
    if (one.from !== at) return 'moved'
    for (const { record, tried } of some) {
      const error = tried.kind === 'ok' ? fault(record.offset) : undefined
      if (error !== undefined) throw error
    }
    at = one.next
    taken.push(...some.map(({ record, tried }): [bigint, string] => [record.offset, tried.kind]))
    return 'committed'
  }
  const run = () => commitOrApart(batch, records, commit, { telemetry, isDataError: (error) => error instanceof Unfit })
  return { run, taken, at: () => at, move: () => (at = 99n) }
}

it('commits each by itself from where the one before ended, to the end of the batch; the guilty one is a dead letter', async () => {
  const w = world((offset) => (offset === 9n ? new Unfit('no such date') : undefined))
  expect(await w.run()).toBe('committed')
  expect(w.taken).toEqual([
    [7n, 'ok'],
    [9n, 'deadLetter'],
    [10n, 'ok'],
  ])
  expect(w.at()).toBe(20n)
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { offset: '9', err: { message: 'no such date' } },
  ])
})

it('leaves a batch in which nothing is wrong whole', async () => {
  const w = world(() => undefined)
  expect(await w.run()).toBe('committed')
  expect(w.at()).toBe(20n)
})

it('throws on what is no fault of a record, also on the way apart, and stops where somebody else went on', async () => {
  await expect(world(() => new Error('away')).run()).rejects.toThrow('away')
  const later = world((offset) => (offset === 7n ? new Unfit('no') : offset === 9n ? new Error('away') : undefined))
  await expect(later.run()).rejects.toThrow('away')
  expect(later.taken).toEqual([[7n, 'deadLetter']])
  const moved = world((offset) => {
    if (offset !== 9n) return undefined
    moved.move()
    return new Unfit('no')
  })
  expect(await moved.run()).toBe('moved')
  expect(moved.taken).toEqual([])
})
