// A training in its turn: begun where none runs, and how it ended on record for whoever asks later.
import { randomUUID } from 'node:crypto'
import type { ModelName } from '../../domain/model.ts'
import { messageOf, TouchstoneError } from '../../errors.ts'
import type { Trainings, TrainingState } from '../../learning/ports.ts'
import type { TrainingReport } from './run-training.ts'

export type TrainingEnd =
  { readonly report: TrainingReport } | { readonly problem: { readonly code: string; readonly message: string } }

export interface Asked {
  readonly models: readonly ModelName[]
  readonly seed: number
  readonly by: string
}

interface Turn {
  /** Running. */
  readonly state: TrainingState
  /** To be called once; says what stands on record now. */
  end(how: TrainingEnd): Promise<TrainingState>
}

/** @throws TouchstoneError `training-running` where another one runs on this store. */
export async function takeTurn(trainings: Trainings, { models, seed, by }: Asked): Promise<Turn> {
  const begun = { trainingId: randomUUID(), models: [...models], seed, by, startedAt: new Date().toISOString() }
  const state: TrainingState = { ...begun, state: 'running' }
  const turn = await trainings.begin(state)
  return {
    state,
    async end(how) {
      const ended = { ...begun, endedAt: new Date().toISOString(), ...endOf(how) }
      await turn.end(ended)
      return ended
    },
  }
}

function endOf(how: TrainingEnd): Pick<TrainingState, 'state'> & Partial<TrainingState> {
  if ('problem' in how) return { state: 'failed', problem: how.problem }
  const { labels, learntFrom, heldOut, leftOut, made, refused, unloadable } = how.report
  return {
    state: 'done',
    labels,
    learntFrom,
    heldOut,
    leftOut,
    made: made.map(({ model: { name, version }, present, mended }) => ({ name, version, present, mended })),
    refused: [...refused],
    ...(unloadable.length === 0 ? {} : { unloadable: [...unloadable] }),
  }
}

/** Runs a training in its turn. Rejects with `training-running`, and with what `run` rejects with. */
export async function inTurn(
  trainings: Trainings,
  asked: Asked,
  run: () => Promise<TrainingReport>,
): Promise<TrainingReport> {
  const turn = await takeTurn(trainings, asked)
  let report: TrainingReport
  try {
    report = await run()
  } catch (error) {
    await turn.end({ problem: problemOf(error) })
    throw error
  }
  await turn.end({ report })
  return report
}

export const problemOf = (error: unknown): { readonly code: string; readonly message: string } => ({
  code: error instanceof TouchstoneError ? error.code : 'internal',
  message: messageOf(error),
})
