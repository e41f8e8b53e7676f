// A thread of the bare image path: decode, hash, one inference, and nothing else; it takes the next picture until all are taken.
import { parentPort, workerData } from 'node:worker_threads'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import sharp from 'sharp'
import { pdqOf } from '../../src/imaging/pdq.ts'
import type { BareData, BareRun } from './image-bare.ts'
import { barePixels } from './pictures.ts'

const { pictures, texts, model } = workerData as BareData
sharp.cache(false)
sharp.concurrency(1)
const session = await InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 })

async function work(at: number): Promise<void> {
  const picture = pictures[at % pictures.length]
  const text = texts[at % texts.length]
  if (picture === undefined || text === undefined) throw new Error('there is nothing to work on')
  pdqOf(await barePixels(picture))
  const shape = [1, text.ids.length]
  await session.run({
    ids: new Tensor('int32', text.ids, shape),
    values: new Tensor('float32', text.values, shape),
  })
}

parentPort?.on('message', ({ count, taken }: BareRun) => {
  void (async () => {
    const next = new Int32Array(taken)
    for (let at = Atomics.add(next, 0, 1); at < count; at = Atomics.add(next, 0, 1)) await work(at)
    parentPort?.postMessage('done', [])
  })()
})
parentPort?.postMessage('ready', [])
