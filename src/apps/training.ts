// Trainings that HTTP asks for: one at a time in the whole store, in a thread of its own, its end on record there.
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Learning } from '../api/ports.ts'
import { MODEL_NAMES, type ActiveModel } from '../domain/model.ts'
import { messageOf, TouchstoneError } from '../errors.ts'
import type { ModelStore, Trainings } from '../learning/ports.ts'
import { promoteModels, rollbackModels } from '../pipeline/learning/promote.ts'
import { versionsOf, type Shipped } from '../pipeline/learning/run-training.ts'
import { problemOf, takeTurn, type TrainingEnd } from '../pipeline/learning/turn.ts'
import { unusable } from '../pipeline/learning/unusable.ts'
import type { TextModels } from '../pipeline/models.ts'
import type { ReferenceStore } from '../rights/ports.ts'
import type { Logger } from '../telemetry.ts'
import { withProblem } from './learning.ts'
import type { TrainingTask } from './training-thread.ts'

// Compiled, the sources are beside us as JavaScript.
const THREAD = new URL(
  import.meta.url.endsWith('.ts') ? './training-thread.ts' : './training-thread.js',
  import.meta.url,
)
/** A training that needs more has gone wrong: a hundred thousand verdicts take minutes. */
const MEGABYTES = 4_096

/** A store that does not take how a training ended keeps nobody: without its process a training counts as failed. */
const LAST_WORD_MS = 2_000

export interface LearningOptions {
  readonly url: string
  readonly store: ModelStore
  readonly trainings: Trainings
  readonly reference: Pick<ReferenceStore, 'load'>
  readonly shipped: Shipped
  readonly text: TextModels
  readonly logger: Logger
}

export function createLearning({
  url,
  store,
  trainings,
  reference,
  shipped,
  text,
  logger,
}: LearningOptions): Learning & {
  /** Ends a training that runs; what it would have made is made by the next one. */
  close(): Promise<void>
} {
  const promotion = { store, reference, signals: shipped.signals, text, shipped: versionsOf(shipped) }
  const workers = new Set<Worker>()
  const under = new Set<Promise<void>>()
  let closed = false
  const assertOpen = () => {
    if (closed) throw new TouchstoneError('not-ready', 'the gate is stopping')
  }

  const start = (task: TrainingTask): Promise<TrainingEnd> =>
    new Promise((resolve) => {
      const failed = (why: string) => resolve({ problem: { code: 'internal', message: why } })
      const worker = new Worker(THREAD, {
        workerData: task,
        // Flags of the process (a debugger's port, a test runner's loader) are not meant for the thread.
        execArgv: [],
        resourceLimits: { maxOldGenerationSizeMb: MEGABYTES },
      })
      worker.once('message', (end: TrainingEnd) => resolve(end))
      worker.once('error', (error) => failed(messageOf(error)))
      worker.once('exit', () => {
        workers.delete(worker)
        failed('the training was ended')
      })
      workers.add(worker)
    })

  return {
    async list() {
      const items = await store.list()
      const loadText = async ({ version, card }: ActiveModel) =>
        text.load({ card, body: await store.body('text', version) })
      const active = items.filter((model) => model.active)
      const problems = await unusable(active, { models: store, signals: shipped.signals, loadText })
      return {
        items: items.map((model) => withProblem(model, problems)),
        shipped: { fusion: shipped.scorecard.version, text: shipped.text ?? '' },
        training: await trainings.last(),
      }
    },
    async train(name, seed, by) {
      assertOpen()
      const models = name === 'all' ? MODEL_NAMES : [name]
      const turn = await takeTurn(trainings, { models, seed, by })
      const { trainingId } = turn.state
      try {
        // Nobody would end what a request that was under way started.
        assertOpen()
      } catch (error) {
        await turn.end({ problem: problemOf(error) })
        throw error
      }
      const training = start({ url, seed, models, by })
        .catch((error: unknown) => ({ problem: problemOf(error) }))
        .then((end) => turn.end(end))
        .then(
          ({ state, made, problem }) => {
            if (state === 'done') logger.info({ training: trainingId, made }, 'a training ended')
            else logger.warn({ training: trainingId, ...problem }, 'a training ended without a model')
          },
          (error: unknown) =>
            logger.warn({ training: trainingId, err: messageOf(error) }, 'how a training ended could not be noted'),
        )
        .finally(() => under.delete(training))
      under.add(training)
      return turn.state
    },
    promote: (asked, options) => promoteModels(promotion, asked, options),
    rollback: (name, options) => rollbackModels(promotion, name, options),
    async close() {
      closed = true
      await Promise.all([...workers].map((worker) => worker.terminate()))
      await Promise.race([Promise.all(under), sleep(LAST_WORD_MS, undefined, { ref: false })])
    },
  }
}
