// What is in hand of one partition, settled in pieces: what is ready goes ahead of what waits, and the offset follows the lowest that is left.
import type { Batch, BatchResult, LogRecord } from '../log/ports.ts'
import type { Tally, Tried, TriedRecord } from '../settle.ts'

export interface LineOptions {
  /** One transaction, as in commit-batch.ts; `told` is called after it took effect. */
  readonly commit: (
    span: Batch,
    records: readonly TriedRecord[],
    told: (tally: Pick<Tally, 'left'>) => void,
  ) => Promise<BatchResult>
  /** The store refuses what a record says (not how it was said): trying again as it is can never succeed. */
  readonly isDataError: (error: unknown) => boolean
  /** What becomes of a record that the store refuses also alone. */
  readonly refused: (error: unknown, record: LogRecord) => Tried
}

/** One batch in a line. */
export interface Part {
  /** `committed` when all of it is settled and all before it; `moved` when the line ended; rejects as the line failed. */
  readonly settled: Promise<BatchResult>
  /** Records of which it is not known yet what became of them. */
  readonly missing: number
  /** Records that are not settled: the missing ones, and those that must wait for the offset or for one of their listing. */
  readonly left: number
  /** Of which listing a record is, before anything after it can be ready. None: it is of no listing. */
  name(record: number, listingId: string | undefined): void
  /** Of records that were not put, those behind one of their listing that is not settled: what stands then is not known yet. */
  behindTheirOwn(records: readonly number[]): ReadonlySet<number>
  /** What became of a record: it may be settled, and is when all of the batch is. */
  put(record: number, tried: TriedRecord): void
  /** From now on what is ready is settled without the rest. All records have their names by now. */
  goAhead(): void
}

export interface Line {
  /** Aborts when nothing more of it can take effect: the partition was lost, somebody else moved it, a commit failed. */
  readonly over: AbortSignal
  /** Where the next batch begins. */
  readonly next: bigint
  /** Nothing is in it. */
  readonly idle: boolean
  /** `waits` is called once, where all of the batch is done or it goes ahead, when what could be settled then is. */
  add(batch: Batch, waits: () => void): Part
  fail(error: unknown): void
}

interface Waiting {
  readonly ready: boolean
  readonly ahead: boolean
  readonly next: bigint
  left: number
  end(result: BatchResult): void
  fail(error: unknown): void
  waits(): void
}

interface Entry {
  readonly record: LogRecord
  readonly part: Waiting
  listingId: string | undefined
  tried: TriedRecord | undefined
  /** Settled only when the offset passes it. */
  patient: boolean
  /** Among those that the store refused together. */
  suspect: boolean
  /** The store refused it alone: it is what `refused` made of it. */
  refused: boolean
}

/** What becomes ready one by one shares transactions; nobody notices that much. */
const GATHER_MS = 20
/** What one transaction writes at most. */
const MOST = 1_000

/**
 * A line of batches that follow each other, from where the store stands. Records of one listing are settled in their order.
 * What is settled before the offset passes it is `early`: after a crash it comes again, and must then be known.
 */
export function createLine(from: bigint, lost: AbortSignal, { commit, isDataError, refused }: LineOptions): Line {
  const ended = new AbortController()
  const parts: Waiting[] = []
  let open: Entry[] = []
  let stored = from
  let last: Batch | undefined
  let failure: { readonly error: unknown } | undefined
  let settling = false
  let gathering: NodeJS.Timeout | undefined

  const next = (): bigint => last?.next ?? from
  const waitingParts = (): Waiting[] => parts.filter((part) => part.ready || part.ahead)

  function end(): void {
    ended.abort()
    // A commit that is under way may still take effect: its part is told so.
    if (!settling) close()
  }

  function close(): void {
    clearTimeout(gathering)
    lost.removeEventListener('abort', end)
    for (const part of parts.splice(0)) {
      if (failure === undefined) part.end('moved')
      else part.fail(failure.error)
    }
  }

  function fail(error: unknown): void {
    if (!ended.signal.aborted) failure = { error }
    end()
  }

  /** What goes into the next transaction, in log order: the head of all that is open, and what may go ahead of the rest. */
  function pick(): Entry[] {
    const picked: Entry[] = []
    const waiting = new Set<string>()
    let isHead = true
    for (const entry of open) {
      const { listingId = '', tried, part } = entry
      const isDone = tried !== undefined && (part.ready || part.ahead)
      const mayGo = isHead || (tried?.tried.kind === 'ok' && !entry.patient && !waiting.has(listingId))
      if (!isDone || !mayGo) {
        isHead = false
        waiting.add(listingId)
        continue
      }
      if (picked.length === MOST || (picked.length > 0 && (entry.suspect || picked[0]?.suspect === true))) break
      if ((tried.early ?? false) === isHead) entry.tried = { ...tried, early: !isHead }
      picked.push(entry)
    }
    return picked
  }

  function endPassed(): void {
    while (parts[0] !== undefined && parts[0].next <= stored) parts.shift()?.end('committed')
  }

  async function settle(): Promise<void> {
    clearTimeout(gathering)
    gathering = undefined
    if (settling) return
    settling = true
    endPassed()
    while (!ended.signal.aborted && last !== undefined) {
      const waiting = waitingParts()
      const picked = new Set(pick())
      const first = open.find((entry) => !picked.has(entry))
      const upTo = first === undefined ? next() : picked.has(open[0] ?? first) ? first.record.offset : stored
      if (picked.size === 0 && upTo === stored) break
      await settleThese(picked, upTo, last)
      for (const part of waiting) if (parts.includes(part)) part.waits()
    }
    settling = false
    for (const part of waitingParts()) part.waits()
    if (ended.signal.aborted || parts.length === 0) close()
  }

  async function settleThese(picked: ReadonlySet<Entry>, upTo: bigint, batch: Batch): Promise<void> {
    const records = [...picked].flatMap(({ tried }) => (tried === undefined ? [] : [tried]))
    let left: ReadonlySet<TriedRecord> = new Set()
    try {
      const span = { ...batch, from: stored, next: upTo, records: records.map(({ record }) => record) }
      const result = await commit(span, records, (tally) => (left = new Set(tally.left)))
      if (result === 'moved') {
        ended.abort()
        return
      }
    } catch (error) {
      if (isDataError(error) && isolate([...picked], error)) return
      fail(error)
      return
    }
    open = open.filter((entry) => {
      const isLeft = entry.tried !== undefined && left.has(entry.tried)
      entry.patient ||= isLeft
      const stays = isLeft || !picked.has(entry)
      if (!stays) entry.part.left -= 1
      return stays
    })
    stored = upTo
    endPassed()
  }

  /** Each by itself from now on; one that is refused alone is a dead letter. False when even that is refused. */
  function isolate(picked: readonly Entry[], error: unknown): boolean {
    for (const entry of picked) entry.suspect = true
    const [only] = picked
    if (only === undefined) return false
    if (picked.length > 1) return true
    if (only.refused || only.tried === undefined) return false
    only.refused = true
    only.tried = { ...only.tried, tried: refused(error, only.record) }
    return true
  }

  lost.addEventListener('abort', end)
  if (lost.aborted) end()

  return {
    over: ended.signal,
    get next() {
      return next()
    },
    get idle() {
      return parts.length === 0
    },
    fail,
    add(batch, waits) {
      const { promise: settled, resolve, reject } = Promise.withResolvers<BatchResult>()
      // Whoever handed it over awaits it when its own work is done.
      settled.catch(() => undefined)
      let missing = batch.records.length
      let isAhead = false
      let isTold = false
      const part: Waiting = {
        get ready() {
          return missing === 0
        },
        get ahead() {
          return isAhead
        },
        next: batch.next,
        left: batch.records.length,
        end: resolve,
        fail: reject,
        waits() {
          if (isTold) return
          isTold = true
          waits()
        },
      }
      const entries = batch.records.map((record): Entry => ({
        record,
        part,
        listingId: undefined,
        tried: undefined,
        patient: false,
        suspect: false,
        refused: false,
      }))
      // A line outlives what was in it: it keeps no records.
      last = { ...batch, records: [] }
      for (const entry of entries) open.push(entry)
      // What was settled may be forgotten although its batch waits on.
      const unknown = new Map(entries.entries())
      parts.push(part)
      if (ended.signal.aborted) end()
      // Whoever adds has the part before it is called back.
      else if (missing === 0) queueMicrotask(() => void settle())
      return {
        settled,
        get missing() {
          return missing
        },
        get left() {
          return part.left
        },
        name(record, listingId) {
          const entry = unknown.get(record)
          if (entry !== undefined) entry.listingId = listingId
        },
        behindTheirOwn(records) {
          const first = new Map<string, Entry>()
          for (const entry of open)
            if (entry.listingId !== undefined && !first.has(entry.listingId)) first.set(entry.listingId, entry)
          return new Set(
            records.filter((record) => {
              const entry = unknown.get(record)
              return entry?.listingId !== undefined && first.get(entry.listingId) !== entry
            }),
          )
        },
        put(record, tried) {
          const entry = unknown.get(record)
          if (entry === undefined) return
          unknown.delete(record)
          entry.tried = tried
          missing -= 1
          if (missing === 0) void settle()
          else if (isAhead) gathering ??= setTimeout(() => void settle(), GATHER_MS)
        },
        goAhead() {
          isAhead = true
          void settle()
        },
      }
    },
  }
}
