// One training at a time in a store. Real: PostgreSQL, its lock, processes that are killed; made up: what they would train.
import { randomUUID } from 'node:crypto'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { connect } from '../../src/adapters/postgres/connect.ts'
import { createTrainings } from '../../src/adapters/postgres/trainings.ts'
import type { TrainingState, Trainings } from '../../src/learning/ports.ts'
import { inTurn } from '../../src/pipeline/learning/turn.ts'
import { until } from '../support/until.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

const asked = (by: string): TrainingState => ({
  trainingId: randomUUID(),
  state: 'running',
  models: ['fusion'],
  seed: 7,
  by,
  startedAt: '2026-01-01T00:00:00.000Z',
})

let node: PostgresNode
let one: Trainings
let two: Trainings
beforeEach(async () => {
  node = await freshNode()
  const other = await connect(node.url)
  onTestFinished(() => other.close())
  one = createTrainings(node.database)
  two = createTrainings(other)
})

test('another process begins none while one runs, reads which it is, and how it ended', async () => {
  expect(await two.last()).toBeNull()
  const state = asked('ann')
  const turn = await one.begin(state)
  expect(await two.last()).toEqual(state)
  for (const trainings of [one, two])
    await expect(trainings.begin(asked('bob'))).rejects.toMatchObject({
      code: 'training-running',
      message: 'ann started one at 2026-01-01T00:00:00.000Z',
    })
  expect(await two.last()).toEqual(state)
  await turn.end({ ...state, state: 'done', labels: 3 })
  // At once: whoever read that it ended need not wait until its process has let go.
  const next = await two.begin(asked('bob'))
  expect(await one.last()).toMatchObject({ by: 'bob', state: 'running' })
  await next.end({ ...asked('bob'), state: 'done' })
})

test('whoever has said how its training ended is waited for until it lets go, and for a second alone', async () => {
  const state = asked('ann')
  await (await one.begin(state)).end({ ...state, state: 'done' })
  const holder = node.database.listener()
  await holder.connect()
  onTestFinished(() => holder.end())
  // The one before lets go by itself, soon.
  await holder.query('select pg_advisory_lock(704602, 1)')
  await expect(two.begin(asked('bob'))).rejects.toMatchObject({
    code: 'training-running',
    message: 'another process begins one',
  })
  const [next] = await Promise.all([
    two.begin(asked('bob')),
    sleep(100).then(() => holder.query('select pg_advisory_unlock(704602, 1)')),
  ])
  await next.end({ ...asked('bob'), state: 'done' })
})

test('of many who begin at once one does', async () => {
  const all = await Promise.allSettled(
    Array.from({ length: 6 }, (_, i) => (i % 2 === 0 ? one : two).begin(asked(`p${i}`))),
  )
  expect(all.filter((each) => each.status === 'fulfilled')).toHaveLength(1)
  for (const each of all)
    if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'training-running' })
})

test('one that was killed is told as failed, and keeps nobody; what it says after that counts no more', async () => {
  const child = spawn(process.execPath, [
    '--input-type=module',
    '-e',
    `const { connect } = await import(${JSON.stringify(new URL('../../src/adapters/postgres/connect.ts', import.meta.url).href)})
     const { createTrainings } = await import(${JSON.stringify(new URL('../../src/adapters/postgres/trainings.ts', import.meta.url).href)})
     await createTrainings(await connect(${JSON.stringify(node.url)})).begin(${JSON.stringify(asked('killed'))})
     console.log('begun')
     // As a training computes: nothing else of the process gets a turn.
     for (;;);`,
  ])
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  expect(await two.last()).toMatchObject({ by: 'killed', state: 'running' })
  await expect(two.begin(asked('bob'))).rejects.toMatchObject({ code: 'training-running' })
  child.kill('SIGKILL')
  await until('the server saw it go', async () => (await two.last())?.state === 'failed')
  expect(await two.last()).toMatchObject({ by: 'killed', problem: { code: 'internal' } })
  const next = asked('bob')
  const turn = await two.begin(next)
  expect(await one.last()).toEqual(next)
  await turn.end({ ...next, state: 'done' })
  expect(await one.last()).toMatchObject({ state: 'done' })
})

test('whose connection broke no longer has its turn, and its end is not taken for another’s', async () => {
  const state = asked('ann')
  const turn = await one.begin(state)
  await node.database.reading.query(`
    select pg_terminate_backend(pid) from pg_locks
    where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`)
  await until('the lock is gone', async () => (await two.last())?.state === 'failed')
  const next = asked('bob')
  await two.begin(next)
  await turn.end({ ...state, state: 'done' })
  expect(await one.last()).toEqual(next)
})

test('a training that fails ends its turn with why, and rejects with it', async () => {
  const by = { models: ['fusion'] as const, seed: 7, by: 'ann' }
  await expect(inTurn(one, by, () => Promise.reject(new Error('no verdicts')))).rejects.toThrow('no verdicts')
  expect(await two.last()).toMatchObject({ state: 'failed', problem: { code: 'internal', message: 'no verdicts' } })
})
