// Group commit: what arrives while a transaction runs waits, and goes with all that waits into the next one.
import type { BatchResult } from '../../pipeline/log/ports.ts'
import type { GateStore } from '../../pipeline/ports.ts'
import { partitionOf } from './commit-spans.ts'
import type { Commit, CommitsResult } from './commit-spans.ts'

export interface GroupCommitOptions {
  /** Several commits in one transaction; they share no partition and no listing. */
  readonly commitTogether: (commits: readonly Commit[]) => Promise<CommitsResult>
  /** Whether a rejection says for sure that nothing was written, and that it is about what was to be written. */
  readonly isAboutTheWrites: (error: unknown) => boolean
  /**
   * The first waits for what else comes in this turn of the event loop: one fetch brings batches of several partitions,
   * which are ready at the same moment. Without it the first goes at once and alone.
   */
  readonly ofTurn?: boolean
  /** Of one transaction; a single commit may have more. */
  readonly maxRecords?: number
  /** Judged by how large records were last. */
  readonly maxBytes?: number
  /** From so many on a group is large: it does not keep the next one from beginning. */
  readonly largeRecords?: number
  /** How long a smaller one has the process to itself, in milliseconds. */
  readonly patienceMs?: number
  /** Transactions at a time, when they are large or slow. */
  readonly maxAtOnce?: number
}

interface Waiting extends Commit {
  readonly keys: readonly string[]
  readonly resolve: (result: BatchResult) => void
  readonly reject: (error: unknown) => void
}

const LIMITS = {
  // What a transaction costs besides its rows is little by then, and locks are held for its whole length.
  maxRecords: 1_000,
  // They stand in memory several times, here and in the server.
  maxBytes: 16 * 1024 * 1024,
  // What a transaction costs however little it writes is a tenth of what a hundred records cost: little would be saved by
  // gathering more, while two at once keep both the server and this process busy.
  largeRecords: 100,
  // Many times what a small group takes: longer means that it waits for a lock whose holder stands still. Who is behind it
  // in the queue may need other rows, so the next one begins.
  patienceMs: 250,
  // Connections must remain for deadlines, verdicts and publishing.
  maxAtOnce: 3,
}

/**
 * The same promises as one transaction for each commit, with fewer of them: small ones one at a time in this process, so
 * that the next takes all that has come meanwhile. A commit that comes alone waits for nothing, or with `ofTurn` for a turn of the event loop. Commits that name a listing or a
 * partition of one before them wait for the next group, so that each settles on what stands. Where one of a group is
 * refused by what it writes, or its `settle` throws, each is tried alone; any other failure rejects all of the group.
 */
export function createGroupCommit(options: GroupCommitOptions): GateStore['commit'] {
  const { ofTurn = false, maxRecords, maxBytes, largeRecords, patienceMs, maxAtOnce } = { ...LIMITS, ...options }
  let waiting: Waiting[] = []
  let open = 0
  let turn: NodeJS.Immediate | undefined
  /** The group that has the process to itself. */
  let alone: readonly Waiting[] | undefined
  let bytesEach = 1

  const next = (): void => {
    if (waiting.length === 0 || alone !== undefined || open >= maxAtOnce) return
    const group = takeGroup(waiting, Math.min(maxRecords, maxBytes / bytesEach))
    waiting = waiting.filter((one) => !group.includes(one))
    open += 1
    alone = group
    const letOthers = (): void => {
      if (alone === group) alone = undefined
      next()
    }
    const impatient = setTimeout(letOthers, patienceMs)
    const wrote = (bytes: number): void => void (bytesEach = Math.max(1, bytes / recordsOf(group)))
    void commitGroup(group, options, wrote).then(() => {
      clearTimeout(impatient)
      open -= 1
      letOthers()
    })
    if (recordsOf(group) >= largeRecords) letOthers()
  }

  return (span, wanted, settle) =>
    new Promise((resolve, reject) => {
      const keys = [partitionOf(span), ...wanted.map((one) => one.listingId)]
      waiting.push({ span, wanted, settle, keys, resolve, reject })
      if (!ofTurn) return next()
      turn ??= setImmediate(() => {
        turn = undefined
        next()
      })
    })
}

/** Not only what is wanted: what has no listing may be written too; nor only the span, which may be empty. Gaps make it too large, which harms nobody. */
const recordsOf = (group: readonly Commit[]): number =>
  group.reduce((sum, { span, wanted }) => sum + Math.max(Number(span.next - span.from), wanted.length), 0)

/** In the order of their coming; who shares something with one before waits, and so does who shares something with that. */
function takeGroup(waiting: readonly Waiting[], maxRecords: number): readonly Waiting[] {
  const taken = new Set<string>()
  const group: Waiting[] = []
  let records = 0
  for (const one of waiting) {
    const fits = group.length === 0 || records + recordsOf([one]) <= maxRecords
    if (fits && !one.keys.some((key) => taken.has(key))) {
      group.push(one)
      records += recordsOf([one])
    }
    for (const key of one.keys) taken.add(key)
  }
  return group
}

/** Never rejects: whoever waits is told. */
async function commitGroup(
  group: readonly Waiting[],
  options: GroupCommitOptions,
  wrote: (bytes: number) => void,
): Promise<void> {
  let refused: unknown
  try {
    const result = await options.commitTogether(group)
    if ('results' in result) {
      if (result.bytes > 0) wrote(result.bytes)
      for (const [i, one] of group.entries()) one.resolve(result.results[i] ?? 'moved')
      return
    }
    refused = result.refused
  } catch (error) {
    refused = error
    if (!options.isAboutTheWrites(error)) {
      for (const one of group) one.reject(error)
      return
    }
  }
  const [only] = group
  if (group.length === 1) only?.reject(refused)
  else for (const one of group) await commitGroup([one], options, wrote)
}
