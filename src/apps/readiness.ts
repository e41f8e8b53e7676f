// Whether the process makes progress: every part says so itself, each within a bounded time.
import type { ReadinessCheck } from '../api/ports.ts'
import type { RunningGate } from './gate.ts'

const CHECK_MS = 2_000
/** Loops nap a second at most; several failed rounds in a row look like this. */
const STALE_MS = 10_000

export async function probe(gate: RunningGate, failure: () => unknown): Promise<ReadinessCheck[]> {
  const store = await bounded('store', async () => {
    await gate.database.database.reading.query('select 1')
    return 'answers'
  })
  const worker: ReadinessCheck = (() => {
    const stopped = failure()
    if (stopped !== undefined)
      return { name: 'worker', ok: false, detail: 'stopped by an unexpected failure; see the log' }
    const { held, failingSinceMs } = gate.run.progress()
    if (failingSinceMs !== undefined)
      return { name: 'worker', ok: false, detail: `no batch could be committed for ${seconds(failingSinceMs)}` }
    return { name: 'worker', ok: true, detail: `works on ${held} partitions` }
  })()
  const loops = Object.entries({ ...gate.loops, 'reference-data': gate.live.loop }).map(
    ([name, loop]): ReadinessCheck => {
      const idle = loop.idleMs()
      return {
        name,
        ok: idle < STALE_MS,
        detail: idle < STALE_MS ? 'goes on' : `has done nothing for ${seconds(idle)}`,
      }
    },
  )
  return [store, worker, ...loops]
}

async function bounded(name: string, check: () => Promise<string>): Promise<ReadinessCheck> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<ReadinessCheck>((resolve) => {
    timer = setTimeout(
      () => resolve({ name, ok: false, detail: `did not answer within ${seconds(CHECK_MS)}` }),
      CHECK_MS,
    )
  })
  const asked = check().then(
    (detail): ReadinessCheck => ({ name, ok: true, detail }),
    (): ReadinessCheck => ({ name, ok: false, detail: 'failed; see the log' }),
  )
  return Promise.race([asked, late]).finally(() => clearTimeout(timer))
}

const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(0)} s`
