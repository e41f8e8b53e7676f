// Text models in threads. Real: onnxruntime, worker threads and the model that ships; where threads die, a thread of ours that does so when told.
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { createOnnxText, type OnnxTextOptions } from '../../../../src/adapters/onnx/onnx-text.ts'
import { modelCardSchema } from '../../../../src/domain/model.ts'
import { writeOnnx } from '../../../../src/learning/text/onnx-file.ts'
import { featuresOfListing, TEXT_FEATURES, type TextFeatures } from '../../../../src/text/features.ts'
import { inventedRows } from '../../../../scripts/train-shipped-text.ts'
import { DIES, HANGS } from '../../../support/text-thread.ts'

const shipped = new URL('../../../../models/text/1/', import.meta.url)
const card = modelCardSchema.parse(JSON.parse(readFileSync(new URL('card.json', shipped), 'utf8')))
const body = readFileSync(new URL('model.onnx', shipped))

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((text) => text.close()))
})
function start(options: Partial<OnnxTextOptions> = {}) {
  const text = createOnnxText({ threads: 2, features: TEXT_FEATURES, logger: pino({ level: 'silent' }), ...options })
  open.push(text)
  return text
}

/** A model whose every text has these log-odds. */
function constant(logOdds: number) {
  const bytes = writeOnnx({
    weights: new Float32Array(TEXT_FEATURES.table),
    bias: logOdds,
    features: TEXT_FEATURES.version,
  })
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { card: { ...card, version: sha256.slice(0, 12), sha256 }, body: bytes }
}
const only = (id: number): TextFeatures => ({
  ids: Int32Array.of(id),
  values: Float32Array.of(1),
  gram: () => ({ part: 'title', kind: 'words', text: '' }),
})

const dataUrl = (program: string) => new URL(`data:text/javascript,${encodeURIComponent(program)}`)

describe('loading a text model', () => {
  it('refuses bytes that are not those of the card, files that are no text model, and other features', async () => {
    const text = start()
    const spoilt = Buffer.from(body)
    spoilt[1_000] = (spoilt[1_000] ?? 0) ^ 1
    await expect(text.load({ card, body: spoilt })).rejects.toMatchObject({ code: 'model-invalid' })
    const none = Buffer.from('none')
    const sha256 = createHash('sha256').update(none).digest('hex')
    await expect(text.load({ card: { ...card, sha256 }, body: none })).rejects.toMatchObject({ code: 'model-invalid' })
    const later = start({ features: { ...TEXT_FEATURES, version: TEXT_FEATURES.version + 1 } })
    await expect(later.load({ card, body })).rejects.toThrow(/features of version 1, not 2/)
  })

  it('refuses a model that gives no probability', async () => {
    await expect(start().load(constant(Number.NaN))).rejects.toThrow(/it gives NaN/)
  })
})

describe('asking a text model', () => {
  it('says of each text what it says of it alone, to the last bit, whatever is asked beside it', async () => {
    const model = await start().load({ card, body })
    const features = inventedRows()
      .slice(0, 150)
      .map((r) => featuresOfListing(r.listing))
    const together = await Promise.all(features.map((f) => model.score(f)))
    for (const [i, f] of features.entries()) {
      const alone = await model.score(f)
      expect(together[i]?.score).toBe(alone.score)
      expect(together[i]?.shares).toEqual(alone.shares)
      expect(alone.shares).toHaveLength(f.ids.length)
    }
    expect(new Set(together.map((t) => t.score)).size).toBeGreaterThan(100)
  })

  it('serves the old model while a new one comes in: nobody loses an answer or gets the other one’s', async () => {
    const text = start()
    const models = await Promise.all([-2, -1, 0, 1, 2].map((logOdds) => text.load(constant(logOdds))))
    // More models than a thread keeps, all held and asked at once, each by its own version.
    const asked = Array.from({ length: 500 }, (_, i) => i % models.length)
    const answers = await Promise.all(asked.map(async (m) => models[m]?.score(only(5))))
    answers.forEach((answer, i) => {
      const expected = 1 / (1 + Math.exp(-((asked[i] ?? 0) - 2)))
      expect(answer?.score).toBeCloseTo(expected, 5)
    })
    expect(text.queue()).toBe(0)
  })

  it('asks what waits together', async () => {
    const text = start({ threads: 1, thread: new URL('../../../support/text-thread.ts', import.meta.url) })
    const model = await text.load({ card, body })
    const answers = await Promise.all(Array.from({ length: 100 }, () => model.score(only(5))))
    // The thread tells in the shares how many came at once.
    expect(answers.map((a) => a.shares[0])).toEqual([...Array<number>(64).fill(64), ...Array<number>(36).fill(36)])
  })
})

describe('a thread that fails', () => {
  const thread = new URL('../../../support/text-thread.ts', import.meta.url)

  it('is replaced when it dies: its texts are tried once more, then given up; others are answered', async () => {
    const text = start({ threads: 1, thread })
    const model = await text.load({ card, body })
    await expect(model.score(only(DIES))).rejects.toThrow('it ended')
    expect((await model.score(only(5))).score).toBe(0.5)
    expect(text.queue()).toBe(0)
  })

  it('is replaced when it hangs', async () => {
    const text = start({ threads: 1, thread, jobMs: 1_500 })
    const model = await text.load({ card, body })
    await expect(model.score(only(HANGS))).rejects.toThrow('it ended')
    expect((await model.score(only(5))).score).toBe(0.5)
  })

  it('is given time to start: on a busy machine, or from a slow disk, that takes longer than any job', async () => {
    const slow = dataUrl(`
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_600)
      await import(${JSON.stringify(thread.href)})`)
    const model = await start({ threads: 1, thread: slow, jobMs: 700 }).load({ card, body })
    expect((await model.score(only(5))).score).toBe(0.5)
  })

  it('is not one that answered while this process stood still itself, whatever the clock says by then', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'answered-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const answered = join(folder, 'answered')
    const telling = dataUrl(`
      import { writeFileSync } from 'node:fs'
      import { parentPort } from 'node:worker_threads'
      parentPort.on('message', ({ texts, width, ids }) => {
        parentPort.postMessage({ score: new Float32Array(texts).fill(0.5), shares: new Float32Array(texts * width) })
        if (ids[0] === 6) writeFileSync(${JSON.stringify(answered)}, '')
      })
      parentPort.postMessage('ready')`)
    const lines: string[] = []
    const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) })
    const model = await start({ threads: 1, thread: telling, jobMs: 300, logger }).load({ card, body })
    const answer = model.score(only(6))
    // It is sent in the next of these; from there on the clocks are looked at before the messages.
    await new Promise((resolve) => setImmediate(resolve))
    while (!existsSync(answered));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 350)
    expect((await answer).score).toBe(0.5)
    expect(lines).toEqual([])
  })

  it('leaves nobody waiting when all is closed', async () => {
    const text = start({ threads: 1, thread })
    const model = await text.load({ card, body })
    const asked = [only(HANGS), only(5), only(6)].map((f) => model.score(f))
    const told = Promise.allSettled(asked)
    await new Promise((resolve) => setImmediate(resolve))
    await text.close()
    expect((await told).map((t) => t.status)).toEqual(['rejected', 'rejected', 'rejected'])
    await expect(model.score(only(5))).rejects.toThrow(/closed/)
  })
})
