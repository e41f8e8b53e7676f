// A thread that reads real pictures as the real one does; a mark behind the end of one ends the whole process, as a crash in libvips would.
import { writeSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import type { Job } from '../../src/adapters/pictures/messages.ts'
import { servePictures } from '../../src/adapters/pictures/thread.ts'
import { pdqOf } from '../../src/imaging/pdq.ts'

// First in line: it happens before the real one sees the job.
parentPort?.on('message', ({ bytes }: Job) => {
  const mark = Buffer.from(bytes.subarray(-5)).toString('latin1')
  const stalls = mark === 'stall' && process.env['STALL'] === 'yes'
  if (mark === 'crash') process.kill(process.pid, 'SIGSEGV')
  // At once, which what goes by the main thread is not.
  if (stalls) writeSync(1, 'stalls\n')
  // It is never read to its end: until the process is gone, or until somebody kills it.
  if (mark === 'crash' || stalls) for (;;);
})
servePictures(pdqOf)
