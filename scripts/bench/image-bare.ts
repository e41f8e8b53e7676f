// The limit that the image path is measured against: threads that decode, hash and infer, with nobody who asks, checks or decides.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

export interface BareData {
  readonly pictures: readonly Uint8Array[]
  readonly texts: readonly { readonly ids: Int32Array; readonly values: Float32Array }[]
  readonly model: Uint8Array
}

export interface BareRun {
  readonly count: number
  /** One number that all threads count up. */
  readonly taken: SharedArrayBuffer
}

export interface Bare {
  /** Works through `count` pictures, the same again and again, in all threads. */
  run(count: number): Promise<void>
  close(): Promise<void>
}

/** Each thread has its own copy of everything: nothing is sent while the clock runs. */
export async function startBare(threads: number, data: BareData): Promise<Bare> {
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL('./image-bare-thread.ts', import.meta.url), { workerData: data }),
  )
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  return {
    async run(count) {
      const run: BareRun = { count, taken: new SharedArrayBuffer(4) }
      const done = workers.map((worker) => once(worker, 'message'))
      for (const worker of workers) worker.postMessage(run, [])
      await Promise.all(done)
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}
