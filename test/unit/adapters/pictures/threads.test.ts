// Threads that hang, die, eat memory or never start, and callers who wait. Real: threads, sharp; the misbehaviour is asked for by the bytes.
import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { pino } from 'pino'
import sharp from 'sharp'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import type { PictureReaderOptions } from '../../../../src/adapters/pictures/reader.ts'
import { createThreads } from '../../../../src/adapters/pictures/threads.ts'
import { drawing, reading, WILD_THREAD } from '../../../support/pictures.ts'

const picture = await drawing().png().toBuffer()
const wild = (what: 'hang' | 'hang2' | 'die' | 'throw' | 'eat') => Buffer.from(what)

const open: ReturnType<typeof reading>[] = []
function started(options: Partial<PictureReaderOptions> = {}) {
  const one = reading({ thread: WILD_THREAD, ...options })
  open.push(one)
  return one
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.reader.close()))
})

/** One that is read only when there is nothing else to do, as soon as that is so: threads are replaced when they can be. */
async function whenIdle(read: (bytes: Uint8Array) => Promise<unknown>, bytes: Uint8Array) {
  for (;;) {
    const answer = read(bytes)
    if ((await Promise.race([answer, sleep(50, 'begun')])) === 'begun') return { answer }
    await sleep(20)
  }
}

describe('a thread that', () => {
  test('hangs is ended at its time, and the next picture is read', async () => {
    const { read } = started({ timeMs: 400 })
    await read(picture)
    const begun = performance.now()
    expect(await read(wild('hang'))).toMatchObject({
      fault: 'busy',
      message: expect.stringMatching('400 ms') as string,
    })
    expect(performance.now() - begun).toBeGreaterThan(390)
    expect(await read(picture)).toMatchObject({ state: 'seen' })
  })

  test('hangs twice, the second time alone, is at fault for good; until then others may have been', async () => {
    const { read } = started({ threads: 2, timeMs: 600 })
    // Both threads are there, and have nothing to do.
    await Promise.all([read(picture), read(picture)])
    const first = await Promise.all([read(wild('hang')), read(wild('hang2'))])
    expect(first).toMatchObject([{ fault: 'busy' }, { fault: 'busy' }])
    // Neither takes a thread from others again: while one is being replaced, or works, it is not even begun.
    const begun = performance.now()
    expect(await read(wild('hang'))).toMatchObject({
      fault: 'busy',
      message: expect.stringMatching('all of its time before') as string,
    })
    expect(performance.now() - begun).toBeLessThan(300)
    const alone = await whenIdle(read, wild('hang'))
    expect(await read(wild('hang2'))).toMatchObject({ fault: 'busy' })
    expect(await alone.answer).toMatchObject({ fault: 'too-slow' })
    // What had a picture beside it is not judged by that.
    const again = await whenIdle(read, wild('hang2'))
    await read(picture)
    expect(await again.answer).toMatchObject({ fault: 'busy', message: expect.stringMatching('others') as string })
  })

  test.each(['die', 'throw', 'eat'] as const)('is told to %s takes nobody else along', async (what) => {
    const { read, keep } = started({ threads: 2, timeMs: 20_000 })
    const bad = read(wild(what))
    const good = await Promise.all(Array.from({ length: 8 }, () => read(picture)))
    expect(good.map((one) => one.state)).toEqual(Array.from({ length: 8 }, () => 'seen'))
    expect(await bad).toMatchObject({ fault: 'not-a-picture', message: 'the thread that decoded it ended over it' })
    expect(await keep(wild(what))).toBeUndefined()
    // Both are there again: two that would wait for each other's thread are read at once.
    expect((await Promise.all([read(picture), read(picture)])).map((one) => one.state)).toEqual(['seen', 'seen'])
  })

  test('hangs does not hold up the main loop, nor the other threads', async () => {
    const { read } = started({ threads: 2, timeMs: 1_500 })
    await Promise.all([read(picture), read(picture)])
    const hanging = read(wild('hang'))
    let longest = 0
    let last = performance.now()
    const watch = setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }, 5)
    for (let i = 0; i < 10; i++) expect(await read(picture)).toMatchObject({ state: 'seen' })
    clearInterval(watch)
    expect(longest).toBeLessThan(1_000)
    expect(await hanging).toMatchObject({ fault: 'busy' })
  })

  test('cannot start leaves callers their own time, and no process that spins', async () => {
    const { read } = started({ thread: new URL('no-such-thread.ts', WILD_THREAD) })
    expect(await read(picture, AbortSignal.timeout(300))).toMatchObject({ fault: 'busy' })
  })
})

test('a thread that starts does not touch what the process may load: a picture being read just then would be called broken', async () => {
  const { read } = started()
  const gif = await drawing().gif().toBuffer()
  expect(await read(gif)).toMatchObject({ state: 'seen' })
  const gifs = { operation: ['VipsForeignLoadNsgif'] }
  sharp.block(gifs)
  try {
    expect(await read(gif)).toMatchObject({ fault: 'not-a-picture' })
    await read(wild('die'))
    expect(await read(picture)).toMatchObject({ state: 'seen' })
    expect(await read(gif)).toMatchObject({ fault: 'not-a-picture' })
  } finally {
    sharp.unblock(gifs)
  }
})

describe('who waits', () => {
  test('for a thread longer than there is time is told that all are busy, and is forgotten', async () => {
    const { read, reader } = started({ timeMs: 1_500 })
    await read(picture)
    const hanging = read(wild('hang'))
    const begun = performance.now()
    const waiting = read(picture, AbortSignal.timeout(100))
    expect(reader.queue()).toBe(1)
    expect(await waiting).toMatchObject({ fault: 'busy' })
    expect(performance.now() - begun).toBeLessThan(1_300)
    expect(reader.queue()).toBe(0)
    await hanging
  })

  test('with no time left is not even queued; nor beyond the bound of the queue', async () => {
    const lengths: number[] = []
    const { read } = started({ timeMs: 300, onQueue: (pictures) => lengths.push(pictures) })
    expect(await read(picture, AbortSignal.abort())).toMatchObject({ fault: 'busy' })
    expect(lengths).toEqual([])
    const hanging = read(wild('hang'))
    const answers = await Promise.all(Array.from({ length: 140 }, () => read(picture)))
    const faults = answers.filter((one) => one.state === 'unseen').map((one) => one.fault)
    expect(faults.length).toBeGreaterThanOrEqual(11)
    expect(new Set(faults)).toEqual(new Set(['busy']))
    expect(Math.max(...lengths)).toBe(128)
    expect(lengths.at(-1)).toBe(0)
    await hanging
  })

  test('while a thread works on it gets an answer at its time, and the thread goes on', async () => {
    const { read } = started({ timeMs: 1_500 })
    await read(picture)
    const begun = performance.now()
    expect(await read(wild('hang'), AbortSignal.timeout(100))).toMatchObject({ fault: 'busy' })
    expect(performance.now() - begun).toBeLessThan(1_300)
    expect(await read(picture)).toMatchObject({ state: 'seen' })
  })
})

test('closing answers everybody and ends every thread', async () => {
  const { read, reader } = started({ timeMs: 20_000 })
  await read(picture)
  const answers = Promise.all([read(wild('hang')), read(picture), read(picture)])
  await sleep(20)
  await reader.close()
  expect((await answers).map((one) => one.state === 'unseen' && one.fault)).toEqual(['busy', 'busy', 'busy'])
  expect(await read(picture)).toMatchObject({ fault: 'busy' })
  expect(reader.queue()).toBe(0)
})

test('closing is waited for also while threads say that they are ready: a command ends with what it has to say', async () => {
  const threads = new URL('../../../../src/adapters/pictures/threads.ts', import.meta.url).href
  const program = `
    import { createThreads } from ${JSON.stringify(threads)}
    const nothing = () => undefined
    const entry = new URL('data:text/javascript,' + encodeURIComponent(
      "import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => {}); parentPort.postMessage('ready')"))
    const open = createThreads({ entry, count: 2, dataOf: nothing, packed: nothing, timeMs: 9_000, maxWaiting: 1,
      logger: { warn: nothing }, onGone: nothing, onWaiting: nothing })
    // Both have started and said so, and nobody has listened yet.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700)
    await open.close()
    console.log('closed')`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
  expect(stdout).toBe('closed\n')
})

test('an answer that came while this process stood still itself counts, whatever the clock says by then', async () => {
  const said = new Int32Array(new SharedArrayBuffer(4))
  const threads = createThreads<string, string>({
    entry: dataUrl(`
      import { parentPort, workerData } from 'node:worker_threads'
      parentPort.on('message', () => {
        parentPort.postMessage('an answer')
        Atomics.store(workerData, 0, 1)
        Atomics.notify(workerData, 0)
      })
      parentPort.postMessage('ready')`),
    count: 1,
    dataOf: () => said,
    packed: (message) => ({ message, moved: [] }),
    timeMs: 100,
    maxWaiting: 1,
    logger: pino({ level: 'silent' }),
    onGone: () => undefined,
    onWaiting: () => undefined,
  })
  onTestFinished(() => threads.close())
  await expect.poll(() => threads.idle()).toBe(true)
  // From here the clocks are looked at before the messages.
  await new Promise((resolve) => setImmediate(resolve))
  const answering = threads.run('a job', undefined)
  Atomics.wait(said, 0, 0)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150)
  expect(await answering).toMatchObject({ answer: 'an answer' })
})

const dataUrl = (program: string) => new URL(`data:text/javascript,${encodeURIComponent(program)}`)
