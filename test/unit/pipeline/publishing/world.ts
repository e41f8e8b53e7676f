// A made-up log with Kafka's fencing and transactions and a made-up outbox, in which every step can fail, die or be overtaken.
import type { FencedLog, Mark, OutboxRecord, Place, RangeOutbox } from '../../../../src/pipeline/publishing/ports.ts'

export const PLACES: readonly Place[] = [
  { topic: 'decisions', partition: 0 },
  { topic: 'decisions', partition: 3 },
  { topic: 'verdicts', partition: 0 },
]
const STORE = 'store-1'
const LEASE_MS = 3_000
const nameOf = (place: Place): string => `${place.topic}[${place.partition}]`

/** The process is gone: nothing of it runs on. */
export class Died extends Error {}

/** What becomes of one step of one process. */
export type Fate = 'well' | 'fails' | 'fails-after' | 'dies' | 'dies-after'

export interface World {
  /** Given and acknowledged positions. */
  append(place: number, rows: number): void
  /** Visible to readers of committed records: positions per place, in the order of the log. */
  visible(): Map<string, bigint[]>
  heads(): Map<string, bigint>
  marks(): Mark[]
  /** The ports as one process has them; `step` is awaited before and after every effect, and may reject. A look gets on when it calls `progressed`. */
  process(
    owner: string,
    step: (what: string, progressed?: () => void) => Promise<Fate>,
  ): { outbox: RangeOutbox; log: FencedLog }
  clock(): number
  pass(ms: number): void
  /** The log loses its end down to `keep` visible records. */
  lose(place: number, keep: number): void
  storeId: string
  /** Takes the store back to how it was at `moment()`. */
  moment(): () => void
  /** Removes rows up to the tail. */
  prune(): void
}

/**
 * `fencing: false` and `looking: false` are the controls: a protocol that does without must be caught. Without `leasing`
 * everyone gets the lease at any time, as if all clocks were wrong: it is for liveness only.
 */
export function createWorld({ fencing = true, looking = true, leasing = true } = {}): World {
  let now = 0
  const rows = new Map<string, OutboxRecord[]>(PLACES.map((place) => [nameOf(place), []]))
  const tails = new Map<string, bigint>(PLACES.map((place) => [nameOf(place), 0n]))
  const floors = new Map<string, bigint>(PLACES.map((place) => [nameOf(place), 0n]))
  const lease = { owner: '', epoch: 0n, until: -1 }
  const topics = new Map<string, { row: OutboxRecord; storeId: string; transaction: number }[]>(
    PLACES.map((place) => [nameOf(place), []]),
  )
  const ended = new Map<number, 'committed' | 'aborted'>()
  let transactions = 0
  let producerEpoch = 0
  let open: number | undefined
  let incarnation = 0

  const headOf = (name: string): bigint => rows.get(name)?.at(-1)?.position ?? floors.get(name) ?? 0n
  const seen = (name: string) =>
    (topics.get(name) ?? []).filter((entry) => ended.get(entry.transaction) === 'committed')
  const marksOf = (places: readonly Place[]): Mark[] =>
    places.map((place) => ({
      ...place,
      head: headOf(nameOf(place)),
      tail: tails.get(nameOf(place)) ?? 0n,
      floor: floors.get(nameOf(place)) ?? 0n,
    }))

  const world: World = {
    append(index, count) {
      const place = PLACES[index % PLACES.length] ?? { topic: 'decisions', partition: 0 }
      const list = rows.get(nameOf(place)) ?? []
      for (let i = 0; i < count; i++) {
        const position = headOf(nameOf(place)) + 1n
        const value = new TextEncoder().encode(`${incarnation}/${position}`)
        list.push({ ...place, position, key: value, value, headers: {} })
      }
    },
    visible: () => new Map(PLACES.map((place) => [nameOf(place), seen(nameOf(place)).map(({ row }) => row.position)])),
    heads: () => new Map(PLACES.map((place) => [nameOf(place), headOf(nameOf(place))])),
    marks: () => marksOf(PLACES),
    clock: () => now,
    pass(ms) {
      now += ms
    },
    lose(index, keep) {
      const place = PLACES[index]
      if (place !== undefined) topics.set(nameOf(place), seen(nameOf(place)).slice(0, keep))
    },
    storeId: STORE,
    moment() {
      const kept = [...rows].map(([name, list]) => [name, [...list]] as const)
      const marked = [...tails]
      return () => {
        incarnation += 1
        for (const [name, list] of kept) rows.set(name, [...list])
        for (const [name, tail] of marked) tails.set(name, tail)
      }
    },
    prune() {
      for (const [name, list] of rows) {
        const tail = tails.get(name) ?? 0n
        rows.set(
          name,
          list.filter((row) => row.position > tail),
        )
        floors.set(name, tail)
      }
    },
    process(owner, step) {
      /** Every effect is one moment; everything can happen before and after it. */
      const effect = async <T>(what: string, happen: () => T, progressed?: () => void): Promise<T> => {
        const fate = await step(what, progressed)
        if (fate === 'dies') throw new Died(what)
        if (fate === 'fails') throw new Error(`${what} failed`)
        const result = happen()
        if (fate === 'dies-after') throw new Died(what)
        if (fate === 'fails-after') throw new Error(`${what}: no answer`)
        await step(`${what} answered`)
        return result
      }
      const outbox: RangeOutbox = {
        get storeId() {
          return world.storeId
        },
        places: PLACES,
        lease: () =>
          effect('lease', () => {
            if (!leasing) return { epoch: 1n, validMs: LEASE_MS }
            if (lease.owner !== owner && lease.until > now) return undefined
            if (lease.owner !== owner || lease.until <= now) lease.epoch += 1n
            Object.assign(lease, { owner, until: now + LEASE_MS })
            return { epoch: lease.epoch, validMs: LEASE_MS * 0.8 }
          }),
        release: () =>
          effect('release', () => {
            if (lease.owner === owner) lease.until = now
          }),
        marks: (places) => effect('marks', () => marksOf(places)),
        after: (from, limit) =>
          effect('after', () =>
            from
              .flatMap((one) => (rows.get(nameOf(one)) ?? []).filter((row) => row.position > one.position))
              .slice(0, limit),
          ),
        mark: (moves) =>
          effect('mark', () => {
            if (moves.some((move) => tails.get(nameOf(move)) !== move.from)) return false
            for (const move of moves) tails.set(nameOf(move), move.to)
            return true
          }),
        backlog: () => Promise.resolve({ rows: 0, seconds: 0 }),
      }
      const end = (transaction: number, how: 'committed' | 'aborted') => {
        ended.set(transaction, how)
        if (open === transaction) open = undefined
      }
      const log: FencedLog = {
        fence: () =>
          effect('fence', () => {
            if (fencing) {
              producerEpoch += 1
              if (open !== undefined) end(open, 'aborted')
            }
            const mine = producerEpoch
            const guard = () => {
              if (mine !== producerEpoch) throw new Error('INVALID_PRODUCER_EPOCH')
            }
            return {
              async write(list, storeId) {
                const transaction = ++transactions
                for (const [name, some] of Map.groupBy(list, nameOf)) {
                  await effect(`send to ${name}`, () => {
                    guard()
                    open = transaction
                    topics.get(name)?.push(...some.map((row) => ({ row, storeId, transaction })))
                  })
                }
                await effect('commit', () => {
                  guard()
                  end(transaction, 'committed')
                })
              },
              close: () => Promise.resolve(),
            }
          }),
        lastPublished: (places, progressed) =>
          effect(
            'look',
            () =>
              places.flatMap((place) => {
                const last = seen(nameOf(place)).at(-1)
                if (last === undefined || !looking) return []
                const { position, key, value } = last.row
                return [{ ...place, storeId: last.storeId, position, key, value }]
              }),
            progressed,
          ),
      }
      return { outbox, log }
    },
  }
  return world
}
