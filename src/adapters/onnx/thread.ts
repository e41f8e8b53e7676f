// A thread that runs models: a run blocks its event loop, so it never happens where HTTP and leases live.
import { parentPort } from 'node:worker_threads'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Done, Job } from './messages.ts'

/** One thread a session, no arena: several of ours share the machine, and the memory of a burst is given back. */
const OPTIONS: InferenceSession.SessionOptions = {
  executionProviders: ['cpu'],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  enableCpuMemArena: false,
  enableMemPattern: false,
  logSeverityLevel: 3,
}

const sessions = new Map<string, InferenceSession>()

async function sessionOf(job: Job): Promise<InferenceSession> {
  const known = sessions.get(job.sha256)
  if (known !== undefined) return known
  if (job.body === undefined) throw new Error('the thread does not have the model')
  const session = await InferenceSession.create(job.body, OPTIONS)
  sessions.set(job.sha256, session)
  return session
}

async function run(job: Job): Promise<Exclude<Done, { failed: string }>> {
  for (const sha256 of job.drop) {
    await sessions.get(sha256)?.release()
    sessions.delete(sha256)
  }
  const session = await sessionOf(job)
  const shape = [job.texts, job.width]
  const { score, shares } = await session.run({
    ids: new Tensor('int32', job.ids, shape),
    values: new Tensor('float32', job.values, shape),
  })
  return { score: floats(score, [job.texts]), shares: floats(shares, shape) }
}

function floats(tensor: Tensor | undefined, shape: readonly number[]): Float32Array<ArrayBuffer> {
  if (!(tensor?.data instanceof Float32Array) || tensor.dims.join() !== shape.join())
    throw new Error(`the model answers with ${tensor?.type} [${tensor?.dims.join()}], not float32 [${shape.join()}]`)
  return Float32Array.from(tensor.data)
}

async function answer(job: Job): Promise<void> {
  try {
    const done = await run(job)
    parentPort?.postMessage(done, [done.score.buffer, done.shares.buffer])
  } catch (error) {
    const done: Done = { failed: error instanceof Error ? error.message : String(error) }
    parentPort?.postMessage(done, [])
  }
}

parentPort?.on('message', (job: Job) => void answer(job))
parentPort?.postMessage('ready', [])
