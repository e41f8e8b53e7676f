// Plays the demo stream through the real gate, tells each decision as it comes, and adds up what became of everything.
import { setTimeout as pause } from 'node:timers/promises'
import { v4 } from 'uuid'
import type { RecentDecisions } from '../../api/ports.ts'
import type { Brand } from '../../domain/brand.ts'
import type { Decision } from '../../domain/decision.ts'
import type { TopicNames } from '../../events/topics.ts'
import type { Log, NewRecord } from '../../pipeline/log/ports.ts'
import type { DecisionReader } from '../../pipeline/ports.ts'
import { createTerminal } from '../terminal.ts'
import { follow } from './follow.ts'
import { Ledger, type Played } from './ledger.ts'
import { toRecord } from './records.ts'
import { withShortHolds, type DemoPolicies } from './short-holds.ts'
import type { Chapter, Story, Trial, Word } from './story.ts'
import { tellSummary, type Address } from './summary.ts'
import { createTelling } from './telling.ts'

export interface DemoOptions {
  readonly story: Story
  readonly log: Pick<Log, 'append' | 'ranges' | 'read'>
  readonly topics: TopicNames
  /** The group whose offsets say how far the gate has come. */
  readonly group: string
  readonly reader: Pick<DecisionReader, 'feed' | 'endOf'> & RecentDecisions
  /** Resolves when the running gate decides with them. */
  readonly importBrands: (brands: readonly Brand[]) => Promise<void>
  readonly policies: DemoPolicies
  /** Takes out of the banks what an earlier play taught; resolves, to how many pictures, when the running gate knows. */
  readonly forget: (brandIds: readonly string[]) => Promise<number>
  /** What the gate would decide on the listing of such a record now; nothing is recorded. */
  readonly tryOut: (record: NewRecord) => Promise<Decision>
  /** What a person says of a case; resolves when the running gate has learnt it. */
  readonly giveVerdict: (said: SaidInDemo) => Promise<{
    readonly decisionIds: readonly string[]
    /** Pictures of banks that joined with it. */
    readonly imageIds: readonly string[]
  }>
  readonly out: { write(text: string): unknown }
  readonly width: number
  readonly colour: boolean
  /** `read`: slowly enough for a person, about half a minute; `fast`: as fast as the gate goes. */
  readonly pace: 'read' | 'fast'
  /** Ends the play early; what was sent is decided all the same. */
  readonly signal: AbortSignal
  /** Where to look next, told at the end. */
  readonly addresses: readonly Address[]
}

export interface SaidInDemo {
  readonly verdictId: string
  readonly caseId: string
  readonly decisionId: string
  readonly verdict: Word['verdict']
  /** The holder of this brand says it. */
  readonly brandId: string
  readonly note: string
  /** The word that it replaces. */
  readonly supersedes: string | undefined
}

export interface DemoReport {
  /** First part of every listing id of this play. */
  readonly run: string
  readonly played: readonly Played[]
  readonly trials: readonly { readonly trial: Trial; readonly decision: Decision }[]
  /** Milliseconds from the first record sent to the last end seen. */
  readonly elapsedMs: number
  readonly stopped: boolean
}

/** Milliseconds between two records, and before a chapter begins, at the pace of a reader. */
const BETWEEN_MS = 120
const CHAPTER_MS = 900
/** Records per append when nobody reads along. */
const CHUNK = 50
const LOOK_MS = 80
/** A record of the play without an end after this long is told as missing. */
const PATIENCE_MS = 60_000
/** What was stopped for a picture that is forgotten is looked at again within seconds; the play goes on without it. */
const AGAIN_MS = 30_000
/** A deadline is decided within a second or so; more means that the clock stands still. */
const CLOCK_GRACE_MS = 15_000

/**
 * Every play has listing ids of its own, `D1-`, `D192-` and so on: one more than the listings topic ever held when the
 * play began. Offsets only rise, so a play on the same data never repeats one, whatever was killed before.
 */
export async function playDemo(options: DemoOptions): Promise<DemoReport> {
  const { log, topics, signal, story } = options
  const terminal = createTerminal(options)
  const held = await log.ranges(topics.listings)
  const run = `D${held.reduce((sum, { high }) => sum + high, 0n) + 1n}`
  const ledger = new Ledger()
  /** When a picture was confirmed, by its id in its bank; and what was tried, by listing id. */
  const confirmedAt = new Map<string, number>()
  const tried = new Map<string, DemoReport['trials'][number]>()
  const telling = createTelling({ terminal, ledger, confirmedAt, tried, write: (text) => options.out.write(text) })

  /** Decisions without a record of their own that were told. */
  const later = new Map<string, Decision>()
  const onLater = (decision: Decision): void => {
    later.set(decision.decisionId, decision)
    telling.decidedLater(decision)
  }
  /** By listing of the story. */
  const words = new Map<string, string>()

  await options.importBrands(story.brands)
  const forgotten = await options.forget(story.brands.map(({ brandId }) => brandId))
  const follower = await follow({ ...options, run, ledger, onEnd: telling.ended, onLater })
  const count = story.chapters.reduce((sum, chapter) => sum + chapter.rows.length, 0)
  telling.opening(count, story.brands, run)
  if (forgotten > 0)
    telling.note(
      `An earlier play had taught the gate ${forgotten === 1 ? 'a picture' : `${forgotten} pictures`}: taken out of the banks, so that the story can begin anew.`,
    )

  const started = performance.now()
  const looking = new AbortController()
  let broken: Error | undefined
  const looked = (async () => {
    while (!looking.signal.aborted) {
      await follower.look()
      await nap(LOOK_MS, looking.signal)
    }
  })().catch((error: unknown) => {
    broken = error instanceof Error ? error : new Error(String(error))
  })
  /** False when the play was stopped, or patience ran out. */
  const until = async (done: () => boolean, patienceMs: number): Promise<boolean> => {
    const deadline = performance.now() + patienceMs
    while (!done()) {
      if (broken !== undefined) throw broken
      if (signal.aborted || performance.now() > deadline) return false
      await nap(LOOK_MS / 2, signal)
    }
    return true
  }
  const settled = () => until(() => ledger.open() === 0, PATIENCE_MS)

  try {
    for (const chapter of story.chapters) {
      if (signal.aborted) break
      telling.chapter(chapter)
      if (chapter.holdSeconds === undefined) await playChapter(chapter)
      else {
        // What was sent before must not be decided under the chapter's policy, nor what comes after.
        await settled()
        await withShortHolds(options.policies, chapter.holdSeconds, telling.note, async () => {
          await playChapter(chapter)
          await settled()
        })
      }
    }
    await settled()
    const elapsedMs = performance.now() - started
    if (telling.clocksRunning() > 0 && !signal.aborted) {
      const holds = telling.clocksRunning()
      telling.note(
        `Waiting for the clock: ${holds === 1 ? 'a short hold has' : `${holds} short holds have`} still to run out.`,
      )
      await until(
        () => telling.clocksRunning() === 0,
        CLOCK_GRACE_MS + 1_000 * Math.max(...story.chapters.map((c) => c.holdSeconds ?? 0)),
      )
    }
    options.out.write(
      tellSummary({
        terminal,
        played: ledger.all,
        later: [...later.values()],
        elapsedMs,
        pace: options.pace,
        stopped: signal.aborted,
        addresses: options.addresses,
      }),
    )
    return { run, played: ledger.all, trials: [...tried.values()], elapsedMs, stopped: signal.aborted }
  } finally {
    looking.abort()
    await looked
  }

  async function playChapter(chapter: Chapter): Promise<void> {
    const size = options.pace === 'read' ? 1 : CHUNK
    if (options.pace === 'read') await nap(CHAPTER_MS, signal)
    let i = 0
    for (const { after, what } of [...chapter.interludes, { after: chapter.rows.length, what: undefined }]) {
      await playRows(chapter.rows.slice(i, after), size)
      i = after
      // A chapter's decisions are told under its heading, and what is said is said of what was decided.
      await settled()
      if (what === undefined || signal.aborted) continue
      await (what.event === 'trial' ? tryOut(what, chapter) : say(what))
    }
  }

  async function tryOut(trial: Trial, chapter: Chapter): Promise<void> {
    const row = chapter.rows.find((one) => one.event !== 'raw' && one.data.listingId === trial.of)
    if (row === undefined) throw new Error(`the chapter ${chapter.title} has no listing ${trial.of} to be tried`)
    telling.note(trial.story)
    const decision = await options.tryOut(toRecord(row, run, new Date(), story.pictures))
    tried.set(decision.listingId, { trial, decision })
    telling.tried(row, decision)
  }

  async function playRows(all: Chapter['rows'], size: number): Promise<void> {
    for (let i = 0; i < all.length && !signal.aborted; i += size) {
      const rows = all.slice(i, i + size)
      const sent = rows.map((row) => ledger.sending(row, run))
      const places = await log.append(
        topics.listings,
        rows.map((row) => toRecord(row, run, new Date(), story.pictures)),
      )
      for (const [n, place] of places.entries()) {
        const played = sent[n]
        if (played !== undefined) ledger.appended(played, place)
      }
      if (options.pace === 'read') await nap(BETWEEN_MS, signal)
    }
  }

  async function say(word: Word): Promise<void> {
    const { listingId, revision } = word.about
    const played = ledger.decided({ listingId: `${run}-${listingId}`, revision })
    const decision = played?.end?.kind === 'decided' ? played.end.decision : undefined
    const caseId = decision?.caseId
    telling.note(word.story)
    if (decision === undefined || caseId === undefined) {
      telling.note('There is no case to say it of: the listing went on sale.')
      return
    }
    const verdictId = v4()
    const { verdict, brandId, story: note } = word
    const { decisionIds, imageIds } = await options.giveVerdict({
      verdictId,
      caseId,
      decisionId: decision.decisionId,
      verdict,
      brandId,
      note,
      supersedes: words.get(listingId),
    })
    words.set(listingId, verdictId)
    await until(() => decisionIds.every((one) => later.has(one)), PATIENCE_MS)
    const recorded = later.get(decisionIds[0] ?? '')
    if (recorded !== undefined) for (const id of imageIds) confirmedAt.set(id, Date.parse(recorded.decidedAt))
    const isAgain = (name: string) =>
      [...later.values()].some((one) => one.listingId === `${run}-${name}` && one.stage === 'rescreen')
    await until(() => (word.again ?? []).every(isAgain), AGAIN_MS)
  }
}

/** Ends early, and quietly, when the signal aborts. */
async function nap(milliseconds: number, signal: AbortSignal): Promise<void> {
  await pause(milliseconds, undefined, { signal }).catch(() => undefined)
}
