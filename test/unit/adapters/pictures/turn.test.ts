// Heavy pictures take turns; whoever dies gives the turn back. Real: the word in shared memory, and Atomics on it.
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { releaseTurn, takeTurn } from '../../../../src/adapters/pictures/turn.ts'

const word = () => new Int32Array(new SharedArrayBuffer(4))
const HEAVY = 300 << 20

test('light pictures never wait, heavy ones until the time is up', () => {
  const heavy = word()
  expect(takeTurn(heavy, 1, HEAVY, 10)).toBeDefined()
  expect(takeTurn(heavy, 2, HEAVY, 20)).toBeUndefined()
  expect(takeTurn(heavy, 2, 1 << 20, 0)).toBeDefined()
  // Whoever does not have it cannot give it away.
  releaseTurn(heavy, 2)
  expect(takeTurn(heavy, 2, HEAVY, 20)).toBeUndefined()
  releaseTurn(heavy, 1)
  expect(takeTurn(heavy, 2, HEAVY, 20)).toBeDefined()
})

test('a thread that waits goes on as soon as the holder is gone', async () => {
  const heavy = word()
  takeTurn(heavy, 1, HEAVY, 0)
  const file = new URL('../../../../src/adapters/pictures/turn.ts', import.meta.url).href
  const code = `const { workerData, parentPort } = require('node:worker_threads')
    import('${file}').then(({ takeTurn }) => {
      parentPort.postMessage('waits')
      parentPort.postMessage(takeTurn(workerData, 2, ${HEAVY}, 20_000) === undefined ? 'gave up' : 'has it')
    })`
  const worker = new Worker(code, { eval: true, workerData: heavy, execArgv: [] })
  const said: string[] = []
  const done = new Promise((resolve) => {
    worker.on('message', (what: string) => (what === 'waits' ? said.push(what) : resolve(said.push(what))))
  })
  while (said.length === 0) await sleep(5)
  await sleep(50)
  expect(said).toEqual(['waits'])
  releaseTurn(heavy, 1)
  await done
  expect(said).toEqual(['waits', 'has it'])
  expect(heavy[0]).toBe(2)
  await worker.terminate()
})
