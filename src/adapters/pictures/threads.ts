// A fixed number of threads, each with one job at a time; one that hangs past its time, or dies, is ended and replaced.
import { Worker, type ResourceLimits } from 'node:worker_threads'
import type { Logger } from '../../telemetry.ts'

/** What became of a job that got no answer. */
export type Lost = 'busy' | 'timed-out' | 'too-slow' | 'died' | 'closed'

export interface Ended<Answer> {
  readonly answer: Answer | Lost
  /** No other thread worked, hung or started while this job was done: all of the time was its own. */
  readonly alone: boolean
}

export interface Threads<Job, Answer> {
  /** Never rejects. `until` bounds the waiting (`busy`) as well as the work (`timed-out`); all of a job's own time is `too-slow`. */
  run(job: Job, until: AbortSignal | undefined): Promise<Ended<Answer>>
  /** Whether a job that comes now would be alone. */
  idle(): boolean
  /** Jobs that no thread has begun. */
  waiting(): number
  close(): Promise<void>
}

/** Is told what each thread has in hand, before it has it, and until it has it no more. */
export interface Witness<Job> {
  /** Whether a thread may begin it now; asked again whenever another job came to an end. */
  mayBegin(job: Job): boolean
  begins(n: number, job: Job): void
  /** `answered`: not because its thread is gone. Also said of threads that have nothing in hand. */
  ends(n: number, answered: boolean): void
}

export interface ThreadsOptions<Job> {
  /** The file that each thread runs; it says `ready` once, then one answer for each job. */
  readonly entry: URL
  readonly count: number
  /** For thread `n`, counted from 1. */
  readonly dataOf: (n: number) => unknown
  /** As it is sent when a thread begins it, and what of it is handed over instead of copied. */
  readonly packed: (job: Job) => { readonly message: Job; readonly moved: readonly ArrayBuffer[] }
  /** That one job may take, from when a thread begins it. */
  readonly timeMs: number
  readonly maxWaiting: number
  readonly logger: Logger
  readonly witness?: Witness<Job> | undefined
  /** Thread `n` is gone: what it held can be given back. */
  readonly onGone: (n: number) => void
  readonly onWaiting: (jobs: number) => void
}

interface Task<Job, Answer> {
  readonly job: Job
  readonly settle: (answer: Answer | Lost) => void
  alone: boolean
}

interface Slot<Job, Answer> {
  readonly n: number
  worker: Worker | undefined
  ready: boolean
  task: Task<Job, Answer> | undefined
  timer: NodeJS.Timeout | undefined
}

/** Of JavaScript's own memory; pixels lie outside of it and are bounded by the limit on pixels. */
const HEAP: ResourceLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 }
/** A thread that cannot start is tried again no sooner: starting is half a second of a core. */
const RESTART_MS = 1_000

export function createThreads<Job, Answer>(options: ThreadsOptions<Job>): Threads<Job, Answer> {
  const { logger, witness } = options
  const slots: Slot<Job, Answer>[] = []
  const queue = new Set<Task<Job, Answer>>()
  const restarts = new Set<NodeJS.Timeout>()
  let closed = false

  function start(slot: Slot<Job, Answer>): void {
    if (closed) return
    for (const { task } of slots) if (task !== undefined) task.alone = false
    const worker = new Worker(options.entry, {
      workerData: options.dataOf(slot.n),
      resourceLimits: HEAP,
      // Flags of the process (a debugger's port, a test runner's loader) are not meant for these threads.
      execArgv: [],
    })
    slot.worker = worker
    let reason = 'it ended itself'
    worker.on('error', (error: unknown) => (reason = error instanceof Error ? error.message : String(error)))
    worker.on('message', (said: Answer | 'ready') => {
      if (said === 'ready') slot.ready = true
      else {
        witness?.ends(slot.n, true)
        finish(slot, said)
      }
      next()
    })
    worker.on('exit', () => {
      const started = slot.ready
      clearTimeout(slot.timer)
      Object.assign(slot, { worker: undefined, ready: false })
      options.onGone(slot.n)
      witness?.ends(slot.n, false)
      if (closed) return
      logger.warn({ thread: slot.n, reason }, 'a picture thread is gone and is replaced')
      finish(slot, 'died')
      if (started) start(slot)
      else restarts.add(setTimeout(() => start(slot), RESTART_MS))
      // Another thread may have waited for this one's job to end.
      next()
    })
    // After the listeners: each of them keeps the process alive anew.
    holdProcess()
  }

  function finish(slot: Slot<Job, Answer>, answer: Answer | Lost): void {
    clearTimeout(slot.timer)
    slot.task?.settle(answer)
    slot.task = undefined
  }

  /** Has a job, or is on its way to an end or a beginning, or will soon be. */
  const works = (slot: Slot<Job, Answer>) => slot.task !== undefined || !slot.ready

  function begin(slot: Slot<Job, Answer>, task: Task<Job, Answer>): void {
    task.alone = !slots.some(works)
    for (const other of slots) if (other.task !== undefined) other.task.alone = false
    slot.task = task
    // What it said while this process was busy itself, or stood still, is heard first.
    slot.timer = setTimeout(() => setImmediate(() => giveUp(slot, task)), options.timeMs)
    const { message, moved } = options.packed(task.job)
    witness?.begins(slot.n, task.job)
    slot.worker?.postMessage(message, moved)
  }

  /** The answer is given now; the slot is filled again when the thread is gone, so that there are never more than `count`. */
  function giveUp(slot: Slot<Job, Answer>, task: Task<Job, Answer>): void {
    if (closed || slot.task !== task) return
    task.settle('too-slow')
    slot.ready = false
    logger.warn({ thread: slot.n, ms: options.timeMs }, 'a picture thread hangs and is ended')
    void slot.worker?.terminate()
  }

  function nextInLine(): Task<Job, Answer> | undefined {
    for (const task of queue) if (witness?.mayBegin(task.job) !== false) return task
    return undefined
  }

  function next(): void {
    for (const slot of slots) {
      if (!slot.ready || slot.task !== undefined) continue
      const task = nextInLine()
      if (task === undefined) break
      queue.delete(task)
      begin(slot, task)
    }
    options.onWaiting(queue.size)
    holdProcess()
  }

  /** Threads keep the process alive while there is work, and not while they are idle. */
  function holdProcess(): void {
    // Whoever closes waits for their ends: that a thread says "ready" meanwhile must not let the process go before.
    if (closed) return
    for (const { worker, task } of slots) {
      if (queue.size > 0 || task !== undefined) worker?.ref()
      else worker?.unref()
    }
  }

  for (let n = 1; n <= options.count; n++)
    slots.push({ n, worker: undefined, ready: false, task: undefined, timer: undefined })
  for (const slot of slots) start(slot)

  return {
    run(job, until) {
      if (closed) return Promise.resolve({ answer: 'closed', alone: false })
      if (until?.aborted === true || queue.size >= options.maxWaiting)
        return Promise.resolve({ answer: 'busy', alone: false })
      return new Promise((resolve) => {
        const settle = (answer: Answer | Lost) => {
          until?.removeEventListener('abort', onAbort)
          resolve({ answer, alone: task.alone })
        }
        const task: Task<Job, Answer> = { job, settle, alone: false }
        // A thread that has begun goes on: ending it costs more than the rest of its job, which is bounded anyhow.
        const onAbort = () => settle(queue.delete(task) ? 'busy' : 'timed-out')
        until?.addEventListener('abort', onAbort, { once: true })
        queue.add(task)
        next()
      })
    },
    idle: () => queue.size === 0 && !slots.some(works),
    waiting: () => queue.size,
    async close() {
      closed = true
      for (const timer of restarts) clearTimeout(timer)
      for (const task of queue) task.settle('closed')
      queue.clear()
      for (const slot of slots) {
        clearTimeout(slot.timer)
        slot.task?.settle('closed')
      }
      await Promise.all(slots.map(async (slot) => await slot.worker?.terminate()))
    },
  }
}
