// A loopback wire to one broker that knows Kafka's frames: it loses, holds or delays exactly the one answer a test names.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { API, frameReader, readRequest, type Api, type KafkaRequest } from './frames.ts'

export interface HeldAnswer {
  readonly request: KafkaRequest
  /** Lets it through, and what waited behind it on this connection. */
  release(): void
  /** Loses it and ends its connection. */
  drop(): void
}

/** Choose what becomes of one request that is yet to come; every promise resolves when it has happened, and never rejects. */
export interface NextRequest {
  /** It was sent on to the broker. */
  arrived(): Promise<KafkaRequest>
  /** The broker did it, its answer is lost and the connection ended, as when a broker dies right after. */
  dropAnswer(): Promise<KafkaRequest>
  /** The broker never gets it, and the connection ends. */
  dropRequest(): Promise<KafkaRequest>
  /** The broker did it; the client waits, also for the later answers of this connection, until told. */
  holdAnswer(): Promise<HeldAnswer>
  /** As `holdAnswer` for so many milliseconds; resolves when it went on its way. */
  delayAnswer(ms: number): Promise<KafkaRequest>
  /** The broker did it and the client is told something else: `change` writes into the frame. */
  alterAnswer(change: (frame: Buffer) => void): Promise<KafkaRequest>
}

export interface KafkaProxy {
  /** `host:port` for the clients. */
  readonly address: string
  /** The broker's own listener, `host:port`; connections that came before wait for it. */
  target(address: string): void
  /** The `nth` request of this kind from now on (1: the very next), of those that `where` picks. */
  next(api: Api, nth?: number, where?: (request: KafkaRequest) => boolean): NextRequest
  /** Requests of this kind that came so far, lost ones too. */
  count(api: Api): number
  /** Ends every connection; new ones work. */
  cut(): void
  /** Nothing comes through in either direction and nobody is told; new connections are taken and left alone. */
  silence(): void
  /** What was held up by `silence` goes on, in its order. */
  restore(): void
  close(): Promise<void>
}

interface Rule {
  readonly api: Api
  readonly where: (request: KafkaRequest) => boolean
  left: number
  onRequest(request: KafkaRequest, wire: Wire): 'pass' | 'drop'
}

/** One client's connection: answers leave in the order of their requests, so one that waits holds up those behind it. */
interface Wire {
  /** What becomes of the answer with this correlation id. */
  readonly answers: Map<number, (answer: Buffer) => Promise<'pass' | 'drop'>>
  end(): void
}

/**
 * A proxy on a free loopback port; close it when done. The broker's metadata must lead clients back to it, so it listens
 * first, the broker starts with its address as the advertised one of a second listener, then that listener is the target:
 *
 *     const proxy = await startProxy()
 *     const cluster = await startCluster({ advertise: [proxy.address] })
 *     proxy.target(...)
 *     const lost = proxy.next('EndTxn').dropAnswer()
 *     await transaction.commit().catch(() => undefined)
 *     await lost // the broker has committed, and its client never heard of it
 *
 * Frames under TLS cannot be read: there only `cut` and `silence` work.
 */
export async function startProxy(): Promise<KafkaProxy> {
  const wires = new Set<Wire & { pause(): void; resume(): void }>()
  const clients = new Set<Socket>()
  const rules = new Set<Rule>()
  const counts = new Map<number, number>()
  const targeted = Promise.withResolvers<void>()
  let target = { host: '', port: 0 }
  let silent = false
  let spoken = Promise.withResolvers<void>()
  spoken.resolve()

  const decide = (request: KafkaRequest, wire: Wire): 'pass' | 'drop' => {
    counts.set(request.apiKey, (counts.get(request.apiKey) ?? 0) + 1)
    let fate: 'pass' | 'drop' = 'pass'
    for (const rule of rules) {
      if (API[rule.api] !== request.apiKey || !rule.where(request)) continue
      rule.left -= 1
      if (rule.left > 0) continue
      rules.delete(rule)
      if (rule.onRequest(request, wire) === 'drop') fate = 'drop'
    }
    return fate
  }

  const server = createServer((near) => {
    near.on('error', () => undefined)
    clients.add(near)
    near.on('close', () => clients.delete(near))
    near.pause()
    void targeted.promise.then(() => join(near))
  })
  function join(near: Socket): void {
    if (near.destroyed) return
    const far = connect({ ...target, noDelay: true })
    near.setNoDelay(true)
    const wire = {
      answers: new Map<number, (answer: Buffer) => Promise<'pass' | 'drop'>>(),
      end: () => void (near.destroy(), far.destroy()),
      pause: () => void (near.pause(), far.pause()),
      resume: () => void (near.resume(), far.resume()),
    }
    wires.add(wire)
    const send = (to: Socket, from: Socket, bytes: Buffer): void => {
      const full = to.writableNeedDrain
      if (to.destroyed || to.write(bytes) || full) return
      from.pause()
      to.once('drain', () => silent || from.resume())
    }
    near.on(
      'data',
      frameReader((frame) => {
        if (near.destroyed) return
        const request = readRequest(frame)
        if (request !== undefined && decide(request, wire) === 'drop') wire.end()
        else send(far, near, frame)
      }),
    )
    let before: Promise<void> | undefined
    far.on(
      'data',
      frameReader((frame) => {
        const fate = frame.length < 8 ? undefined : wire.answers.get(frame.readInt32BE(4))
        if (fate !== undefined) wire.answers.delete(frame.readInt32BE(4))
        // Without a wait of its own or of one before it an answer takes no turn of the event loop.
        if (fate === undefined && before === undefined) return send(near, far, frame)
        const mine: Promise<void> = (before ?? Promise.resolve())
          .then(() => fate?.(frame) ?? 'pass')
          .then(async (end) => {
            await spoken.promise
            if (before === mine) before = undefined
            if (end === 'drop') wire.end()
            else send(near, far, frame)
          })
        before = mine
      }),
    )
    near.on('close', () => {
      wires.delete(wire)
      far.destroy()
    })
    far.on('error', () => undefined)
    far.on('close', () => void (before ?? Promise.resolve()).then(() => near.end()))
    if (silent) wire.pause()
    else near.resume()
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    target(address) {
      const [host = '', port] = address.split(':')
      target = { host, port: Number(port) }
      targeted.resolve()
    },
    next(api, nth = 1, where = () => true) {
      const rule = <T>(choose: (done: (value: T) => void) => Rule['onRequest']): Promise<T> => {
        const { promise, resolve } = Promise.withResolvers<T>()
        rules.add({ api, where, left: nth, onRequest: choose(resolve) })
        return promise
      }
      const onAnswer = <T>(
        then: (request: KafkaRequest, done: (value: T) => void, wire: Wire, answer: Buffer) => Promise<'pass' | 'drop'>,
      ) =>
        rule<T>((done) => (request, wire) => {
          wire.answers.set(request.correlationId, (answer) => then(request, done, wire, answer))
          return 'pass'
        })
      return {
        arrived: () =>
          rule((done) => (request) => {
            done(request)
            return 'pass'
          }),
        dropRequest: () =>
          rule((done) => (request) => {
            done(request)
            return 'drop'
          }),
        dropAnswer: () =>
          onAnswer(async (request, done, wire) => {
            wire.end()
            done(request)
            return 'drop'
          }),
        holdAnswer: () =>
          onAnswer((request, done) => {
            const { promise, resolve } = Promise.withResolvers<'pass' | 'drop'>()
            done({ request, release: () => resolve('pass'), drop: () => resolve('drop') })
            return promise
          }),
        delayAnswer: (ms) =>
          onAnswer(async (request, done) => {
            await new Promise((resolve) => setTimeout(resolve, ms))
            done(request)
            return 'pass'
          }),
        alterAnswer: (change) =>
          onAnswer(async (request, done, _wire, answer) => {
            change(answer)
            done(request)
            return 'pass'
          }),
      }
    },
    count: (api) => counts.get(API[api]) ?? 0,
    cut() {
      for (const wire of wires) wire.end()
    },
    silence() {
      if (silent) return
      silent = true
      spoken = Promise.withResolvers<void>()
      for (const wire of wires) wire.pause()
    },
    restore() {
      silent = false
      spoken.resolve()
      for (const wire of wires) wire.resume()
    },
    async close() {
      for (const wire of wires) wire.end()
      for (const client of clients) client.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
