// A thread that reads pictures as the real one does, and that misbehaves when the bytes say so: nothing else makes it.
import { parentPort } from 'node:worker_threads'
import { servePictures } from '../../src/adapters/pictures/thread.ts'
import type { Job } from '../../src/adapters/pictures/messages.ts'
import { pdqOf } from '../../src/imaging/pdq.ts'

const eaten: number[][] = []

const WILD: Readonly<Record<string, () => void>> = {
  hang() {
    for (;;);
  },
  die: () => process.exit(7),
  throw() {
    throw new Error('thrown outside of any promise')
  },
  eat() {
    for (;;) eaten.push(Array.from({ length: 1_000_000 }, Math.random))
  },
}

// First in line: what it does happens before the real one sees the job.
parentPort?.on('message', (job: Job) => WILD[Buffer.from(job.bytes).toString('latin1', 0, 8).replace(/2$/, '')]?.())
servePictures(pdqOf)
