// A thread in the place of the one that runs text models: it dies, hangs or answers as the first feature of the first text says.
import { parentPort } from 'node:worker_threads'
import type { Done, Job } from '../../src/adapters/onnx/messages.ts'

/** Features that make it end, or never answer. */
export const DIES = 666
export const HANGS = 667

parentPort?.on('message', (job: Job) => {
  const [first] = job.ids
  if (first === DIES) process.exit(1)
  if (first === HANGS) for (;;);
  const done: Done = {
    score: new Float32Array(job.texts).fill(0.5),
    shares: new Float32Array(job.texts * job.width).fill(job.texts),
  }
  parentPort?.postMessage(done, [])
})
parentPort?.postMessage('ready', [])
