// Threads that run jobs, one each at a time: a thread that dies or hangs is replaced, and its job told.
import { Worker } from 'node:worker_threads'
import type { Logger } from '../../telemetry.ts'
import type { Done, Job } from './messages.ts'

/** The thread ended under the job, or was ended because it took too long: the job may be tried again. */
export class ThreadLost extends Error {}

export interface Hand {
  /** Models that it has, the one used last at the end. */
  readonly models: string[]
  run(job: Job): Promise<Done>
}

export interface Crew {
  /** A thread that has nothing to do, or undefined; whoever gets one gives it back by the end of its run. */
  idle(): Hand | undefined
  close(): Promise<void>
}

/** A batch takes milliseconds: a thread that needs longer hangs. */
const JOB_MS = 10_000
/** Half a second of a core, and of a slow disk more; where many processes start at once it may be a hundred times as much. */
const START_MS = 60_000
/** A thread that dies at once is not started again in a circle. */
const PAUSE_MS = { least: 100, most: 5_000 } as const

export interface CrewOptions {
  readonly threads: number
  readonly logger: Logger
  /** Called when a thread has time again. */
  readonly ready: () => void
  readonly jobMs?: number
  /** Another thread, for tests. */
  readonly module?: URL
}

// Compiled, the sources are beside us as JavaScript.
const MODULE = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url)

/** Threads start when they are first asked for, and keep no process alive while they have nothing to do. */
export function createCrew(options: CrewOptions): Crew {
  const { threads, logger, ready } = options
  const hands = new Set<Hand & { busy: boolean; end(): Promise<unknown> }>()
  let lost = 0
  let paused: NodeJS.Timeout | undefined
  let closed = false

  const start = () => {
    // Flags of the process (a debugger's port, a test runner's loader) are not meant for these threads.
    const worker = new Worker(options.module ?? MODULE, { execArgv: [] })
    worker.unref()
    let isReady = false
    let job: { resolve(done: Done): void; reject(error: Error): void; timer: NodeJS.Timeout } | undefined
    const endAfter = (milliseconds: number) =>
      setTimeout(() => {
        const late = job
        // What it said while we were busy ourselves is heard first.
        setImmediate(() => {
          if (job !== late) return
          logger.warn({ milliseconds }, 'a thread of the text model hangs and is replaced')
          void worker.terminate()
        })
      }, milliseconds)
    const jobMs = options.jobMs ?? JOB_MS
    const hand = {
      models: [] as string[],
      busy: false,
      run: (work: Job) =>
        new Promise<Done>((resolve, reject) => {
          hand.busy = true
          worker.ref()
          job = { resolve, reject, timer: endAfter(isReady ? jobMs : START_MS) }
          worker.postMessage(work, [work.ids.buffer, work.values.buffer])
        }),
      end: () => worker.terminate(),
    }
    const finish = () => {
      const current = job
      job = undefined
      clearTimeout(current?.timer)
      hand.busy = false
      // Whoever closes waits for its end.
      if (!closed) worker.unref()
      return current
    }
    worker.on('message', (said: Done | 'ready') => {
      if (said === 'ready') {
        isReady = true
        if (job === undefined) return
        // From here on its time counts: before, it was loading.
        clearTimeout(job.timer)
        job.timer = endAfter(jobMs)
        return
      }
      lost = 0
      finish()?.resolve(said)
      ready()
    })
    let why = 'it ended'
    // An error is always followed by the end.
    worker.on('error', (error) => (why = error instanceof Error ? error.message : String(error)))
    worker.on('exit', () => {
      hands.delete(hand)
      const current = finish()
      if (closed) {
        current?.reject(new Error('the text model is closed'))
        return
      }
      const pause = Math.min(PAUSE_MS.least * 2 ** lost, PAUSE_MS.most)
      lost += 1
      logger.warn({ err: why, pause }, 'a thread of the text model ended and is replaced')
      // Not unref'd: somebody may wait for the thread that comes after it.
      clearTimeout(paused)
      paused = setTimeout(() => {
        paused = undefined
        ready()
      }, pause)
      current?.reject(new ThreadLost(why))
    })
    hands.add(hand)
    return hand
  }

  return {
    idle() {
      if (closed) return undefined
      for (const hand of hands) if (!hand.busy) return hand
      return hands.size < threads && paused === undefined ? start() : undefined
    },
    async close() {
      closed = true
      clearTimeout(paused)
      await Promise.all([...hands].map((hand) => hand.end()))
    },
  }
}
