// Trainings that HTTP asks for: one at a time, in a thread of its own, its end told by who asks.
import { randomUUID } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import type { Learning, TrainingState } from '../api/ports.ts'
import { MODEL_NAMES } from '../domain/model.ts'
import { messageOf, TouchstoneError } from '../errors.ts'
import type { ModelStore } from '../learning/ports.ts'
import { promoteModel, rollbackModel } from '../pipeline/learning/promote.ts'
import { versionsOf, type Shipped } from '../pipeline/learning/run-training.ts'
import type { TextModels } from '../pipeline/models.ts'
import type { ReferenceStore } from '../rights/ports.ts'
import type { Logger } from '../telemetry.ts'
import type { TrainingEnd, TrainingTask } from './training-thread.ts'

// Compiled, the sources are beside us as JavaScript.
const THREAD = new URL(
  import.meta.url.endsWith('.ts') ? './training-thread.ts' : './training-thread.js',
  import.meta.url,
)
/** A training that needs more has gone wrong: a hundred thousand verdicts take minutes. */
const MEGABYTES = 4_096

export interface LearningOptions {
  readonly url: string
  readonly store: ModelStore
  readonly reference: Pick<ReferenceStore, 'load'>
  readonly shipped: Shipped
  readonly text: TextModels
  readonly logger: Logger
}

export function createLearning({ url, store, reference, shipped, text, logger }: LearningOptions): Learning & {
  /** Ends a training that runs; what it would have made is made by the next one. */
  close(): Promise<void>
} {
  let last: TrainingState | undefined
  let worker: Worker | undefined
  let closed = false

  const start = (task: TrainingTask): Promise<TrainingEnd> =>
    new Promise((resolve) => {
      const failed = (why: string) => resolve({ problem: { code: 'internal', message: why } })
      worker = new Worker(THREAD, {
        workerData: task,
        // Flags of the process (a debugger's port, a test runner's loader) are not meant for the thread.
        execArgv: [],
        resourceLimits: { maxOldGenerationSizeMb: MEGABYTES },
      })
      worker.once('message', (end: TrainingEnd) => resolve(end))
      worker.once('error', (error) => failed(messageOf(error)))
      worker.once('exit', () => failed('the training was ended'))
    })

  return {
    async list() {
      return {
        items: await store.list(),
        shipped: { fusion: shipped.scorecard.version, text: shipped.text ?? '' },
        training: last ?? null,
      }
    },
    train(name, seed, by) {
      // A request that was under way: nobody would end what it started.
      if (closed) throw new TouchstoneError('not-ready', 'the gate is stopping')
      if (last?.state === 'running')
        throw new TouchstoneError('training-running', `${last.by} started one at ${last.startedAt}`)
      const models = name === 'all' ? MODEL_NAMES : [name]
      const begun = { trainingId: randomUUID(), models: [...models], seed, by, startedAt: new Date().toISOString() }
      last = { ...begun, state: 'running' }
      void start({ url, seed, models, by }).then((end) => {
        const endedAt = new Date().toISOString()
        worker = undefined
        if ('problem' in end) {
          last = { ...begun, endedAt, state: 'failed', problem: end.problem }
          logger.warn({ training: begun.trainingId, ...end.problem }, 'a training ended without a model')
          return
        }
        const { labels, learntFrom, heldOut, leftOut, made, refused } = end.report
        last = {
          ...begun,
          endedAt,
          state: 'done',
          labels,
          learntFrom,
          heldOut,
          leftOut,
          made: made.map(({ model: { name: model, version }, present }) => ({ name: model, version, present })),
          refused: [...refused],
        }
        logger.info({ training: begun.trainingId, made: last.made }, 'a training ended')
      })
      return last
    },
    promote: (name, version, options) =>
      promoteModel(
        { store, reference, signals: shipped.signals, text, shipped: versionsOf(shipped) },
        name,
        version,
        options,
      ),
    rollback: (name, options) => rollbackModel({ store, shipped: versionsOf(shipped) }, name, options),
    async close() {
      closed = true
      await worker?.terminate()
    },
  }
}
