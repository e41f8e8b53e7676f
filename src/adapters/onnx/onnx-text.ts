// Text models in threads: what waits is asked together, new models come in live, and old ones serve whoever still holds them.
import { createHash } from 'node:crypto'
import type { ModelCard } from '../../domain/model.ts'
import { messageOf, TouchstoneError } from '../../errors.ts'
import type { TextModel, TextScore } from '../../signals/text-model/ports.ts'
import type { Logger } from '../../telemetry.ts'
import { createCrew, ThreadLost, type Hand } from './crew.ts'
import { inspect } from './inspect.ts'

type Features = Pick<Parameters<TextModel['score']>[0], 'ids' | 'values'>

export interface OnnxText {
  /**
   * A model that was tried: its bytes are the card's, its graph is one of ours, it takes the features of this program, and
   * a thread has run it. It stays usable as long as somebody holds it, whatever is loaded after it.
   *
   * @throws TouchstoneError `model-invalid`
   */
  load(model: { readonly card: ModelCard; readonly body: Uint8Array }): Promise<TextModel>
  /** Texts that wait for a thread. */
  queue(): number
  close(): Promise<void>
}

export interface OnnxTextOptions {
  readonly threads: number
  /** What this program makes of a text; a model of other features is refused. */
  readonly features: { readonly version: number; readonly table: number }
  readonly logger: Logger
  readonly jobMs?: number
  readonly thread?: URL
}

/** From here on a batch costs what its texts cost. */
const MOST_TEXTS = 64
/** Widths are powers of two from here: a text is padded alike whatever it is asked with, and so are its last bits. */
const LEAST_WIDTH = 64
/** Models in a thread: the one that decides, one before it, one that is being tried. */
const MOST_MODELS = 3
/** Far more than the gate evaluates at once: a queue that long has nobody left who waits. */
const MOST_WAITING = 10_000
/** What took a thread along is tried once more, and not a third time. */
const ATTEMPTS = 2

interface Loaded {
  readonly sha256: string
  readonly body: Uint8Array<ArrayBuffer>
}

interface Waiting {
  readonly model: Loaded
  readonly features: Features
  readonly width: number
  attempts: number
  resolve(score: TextScore): void
  reject(error: Error): void
}

export function createOnnxText(options: OnnxTextOptions): OnnxText {
  let waiting: Waiting[] = []
  let asked = false
  let closed = false
  const crew = createCrew({
    threads: options.threads,
    logger: options.logger,
    ready: () => pump(),
    ...(options.jobMs === undefined ? {} : { jobMs: options.jobMs }),
    ...(options.thread === undefined ? {} : { module: options.thread }),
  })

  const pump = () => {
    asked = false
    while (waiting.length > 0) {
      const hand = crew.idle()
      if (hand === undefined) return
      void run(hand, take())
    }
  }

  /** Those that came first, and whoever waits for the same model in the same width. */
  const take = (): Waiting[] => {
    const [first] = waiting
    const batch: Waiting[] = []
    const rest: Waiting[] = []
    for (const one of waiting) {
      const fits = one.model.sha256 === first?.model.sha256 && one.width === first.width && batch.length < MOST_TEXTS
      ;(fits ? batch : rest).push(one)
    }
    waiting = rest
    return batch
  }

  const run = async (hand: Hand, batch: Waiting[]) => {
    const [first] = batch
    if (first === undefined) return
    const { model, width } = first
    const ids = new Int32Array(batch.length * width)
    const values = new Float32Array(batch.length * width)
    batch.forEach(({ features }, i) => {
      ids.set(features.ids, i * width)
      values.set(features.values, i * width)
    })
    const fresh = !hand.models.includes(model.sha256)
    if (!fresh) hand.models.splice(hand.models.indexOf(model.sha256), 1)
    hand.models.push(model.sha256)
    const drop = hand.models.splice(0, Math.max(0, hand.models.length - MOST_MODELS))
    const body = fresh ? { body: model.body } : {}
    try {
      const done = await hand.run({ sha256: model.sha256, ...body, drop, texts: batch.length, width, ids, values })
      if ('failed' in done) {
        // It may have failed to take the model in.
        hand.models.splice(hand.models.indexOf(model.sha256), 1)
        for (const one of batch) one.reject(new Error(`the text model failed: ${done.failed}`))
        return
      }
      batch.forEach((one, i) => {
        const shares = done.shares.slice(i * width, i * width + one.features.ids.length)
        one.resolve({ score: done.score[i] ?? Number.NaN, shares })
      })
    } catch (error) {
      const again = error instanceof ThreadLost && !closed
      for (const one of batch) {
        one.attempts += 1
        if (again && one.attempts < ATTEMPTS) waiting.unshift(one)
        else one.reject(error instanceof Error ? error : new Error(messageOf(error)))
      }
      pump()
    }
  }

  const ask = (model: Loaded, features: Features): Promise<TextScore> =>
    new Promise((resolve, reject) => {
      if (closed || waiting.length >= MOST_WAITING) {
        reject(new Error(closed ? 'the text model is closed' : 'too many texts wait for the text model'))
        return
      }
      waiting.push({ model, features, width: widthOf(features), attempts: 0, resolve, reject })
      // At the end of the turn, so that what is asked in one turn goes together.
      if (!asked) setImmediate(pump)
      asked = true
    })

  return {
    async load({ card, body }) {
      const sha256 = createHash('sha256').update(body).digest('hex')
      if (sha256 !== card.sha256) throw invalid(card, `its bytes are not those of its card (sha256 ${sha256})`)
      const { features } = inspect(body, options.features.table)
      if (features !== options.features.version)
        throw invalid(card, `it was trained on features of version ${features}, not ${options.features.version}`)
      const model: Loaded = { sha256, body: Uint8Array.from(body) }
      try {
        const { score } = await ask(model, { ids: Int32Array.of(1), values: Float32Array.of(1) })
        if (!(score >= 0 && score <= 1)) throw new Error(`it gives ${score}`)
      } catch (error) {
        throw invalid(card, messageOf(error), error)
      }
      return { version: card.version, card, score: (text) => ask(model, text) }
    },
    queue: () => waiting.length,
    async close() {
      closed = true
      await crew.close()
      for (const one of waiting.splice(0)) one.reject(new Error('the text model is closed'))
    },
  }
}

const widthOf = ({ ids }: Features): number => {
  let width = LEAST_WIDTH
  while (width < ids.length) width *= 2
  return width
}

const invalid = (card: ModelCard, why: string, cause?: unknown): TouchstoneError =>
  new TouchstoneError('model-invalid', `the text model ${card.version} cannot be used: ${why}`, { cause })
