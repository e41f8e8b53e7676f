// The gate as its processes run it: all of it in one, only what decides, or only what takes listings in and answers.
import type { Config } from '../config.ts'
import type { BacklogWatch } from '../pipeline/backlog.ts'
import type { Telemetry } from '../telemetry.ts'
import { openGround, watchInput, type Ground } from './ground.ts'
import { startWorker, type Worker } from './worker.ts'

/** A whole gate, or one without what decides. */
export type Gate = Ground & { readonly backlog: BacklogWatch } & Partial<Worker>
export type RunningGate = Ground & Worker

/** Everything that decides, and all that HTTP needs besides; `program` is the command, for the logs of others. */
export async function startGate(
  config: Config,
  telemetry: Telemetry,
  say: (message: string) => void,
  program = 'start',
): Promise<RunningGate> {
  const ground = await openGround(config, telemetry, say, program)
  try {
    const worker = await startWorker(ground, config, telemetry)
    return {
      ...ground,
      ...worker,
      async stop() {
        await worker.stop()
        await ground.stop()
      },
    }
  } catch (error) {
    await ground.stop()
    throw error
  }
}

/** What an API process needs: it appends and reads, and sees how far the workers are. */
export async function openGate(config: Config, telemetry: Telemetry, say: (message: string) => void): Promise<Gate> {
  const ground = await openGround(config, telemetry, say, 'api')
  const input = { topic: ground.topics.listings, group: ground.groups.listings }
  const backlog = watchInput(ground, input, telemetry, () => [])
  return {
    ...ground,
    backlog,
    async stop() {
      await backlog.stop()
      await ground.stop()
    },
  }
}
