// One listing with its row, decisions, cases and verdicts, kept as the store would: for tests of what verdicts decide.
import type { Decision } from '../../../../src/domain/decision.ts'
import type { Outcome } from '../../../../src/domain/policy.ts'
import type { Verdict } from '../../../../src/domain/verdict.ts'
import { topicNames } from '../../../../src/events/topics.ts'
import { settleDeadlines } from '../../../../src/pipeline/deadlines.ts'
import type { LogRecord } from '../../../../src/pipeline/log/ports.ts'
import type { CaseChange, Settlement, StandingUpdate } from '../../../../src/pipeline/ports.ts'
import { settle, type Tried } from '../../../../src/pipeline/settle.ts'
import { settleVerdicts, type TriedVerdict } from '../../../../src/pipeline/verdicts/settle.ts'
import { assessment, listingOf } from '../assessments.ts'

export const TOPICS = topicNames('touchstone')
const LISTING = 'L-1'
const START = Date.parse('2026-01-01T00:00:00Z')

export type Said = Partial<Verdict> & Pick<Verdict, 'verdictId' | 'verdict'>

export function createWorld(brandIds: readonly string[] = ['nike']) {
  let row: StandingUpdate | undefined
  let clock = START
  let offset = 0n
  const decisions: Decision[] = []
  const hashes = new Map<number, string>()
  const verdicts = new Map<string, Verdict>()
  const cases = new Map<string, CaseChange['change']>()
  const now = () => new Date(clock)

  const keep = (settlement: Settlement) => {
    row = settlement.standings[0] ?? row
    decisions.push(...settlement.decisions)
    for (const change of settlement.cases) cases.set(change.caseId, change.change)
    for (const { listing, contentHash } of settlement.revisions) hashes.set(listing.revision, contentHash)
  }
  const recordOf = (): LogRecord => ({
    key: Buffer.from(LISTING),
    value: Buffer.from('as it came'),
    headers: {},
    offset: offset++,
    appendedAt: now(),
  })
  const listed = (tried: Tried) => {
    const standings = new Map(row === undefined ? [] : [[LISTING, { ...row, hashes }]])
    const context = {
      topics: TOPICS,
      topic: TOPICS.listings,
      now: now(),
      draw: () => false,
      maxDeadLetterBytes: 1 << 20,
    }
    keep(settle([{ record: recordOf(), partition: 0, tried }], standings, context).settlement)
  }
  const tell = (...tried: TriedVerdict['tried'][]) => {
    const own = decisions.filter((d) => d.revision === row?.revision)
    const named = new Set(
      tried.map((one) => (one.kind === 'ok' && one.value.kind === 'verdict' ? one.value.verdict.supersedes : null)),
    )
    const subject = row && {
      standing: { ...row, hashes: new Map<number, string>() },
      decisions: [
        ...decisions.filter((d) => d.revision !== row?.revision),
        own.findLast((d) => d.stage !== 'review'),
        own.at(-1),
      ]
        .filter((d) => d !== undefined)
        .filter((d, i, all) => all.indexOf(d) === i),
      verdicts: [...verdicts.values()].filter((v) => v.revision === row?.revision || named.has(v.verdictId)),
    }
    const { settlement, tally } = settleVerdicts(
      tried.map((one) => ({ record: recordOf(), partition: 0, tried: one })),
      { subjects: new Map(subject === undefined ? [] : [[LISTING, subject]]), recorded: new Map(verdicts) },
      { topics: TOPICS, topic: TOPICS.verdicts, now: now(), maxDeadLetterBytes: 1 << 20 },
    )
    keep(settlement)
    for (const verdict of settlement.verdicts) verdicts.set(verdict.verdictId, verdict)
    return { settlement, tally, made: settlement.decisions }
  }
  return {
    decisions,
    cases,
    verdicts,
    row: () => row,
    last: () => decisions.at(-1),
    wait: (milliseconds: number) => (clock += milliseconds),
    submit(revision: number, outcome: Outcome) {
      const assessed = assessment(outcome)
      listed({
        kind: 'ok',
        value: {
          kind: 'listing',
          listing: listingOf(LISTING, revision),
          bound: false,
          contentHash: `${revision}`.repeat(64).slice(0, 64),
          submittedAt: now().toISOString(),
          assessment: { ...assessed, brandIds: [...brandIds] },
        },
      })
    },
    withdraw: (revision: number) =>
      listed({ kind: 'ok', value: { kind: 'withdrawal', identity: { listingId: LISTING, revision } } }),
    /** Lets the clock decide if a hold is due; waits for it first. */
    deadline() {
      const held = decisions.findLast((d) => d.revision === row?.revision)
      if (row?.holdUntil === null || row === undefined || held === undefined) return
      clock = Math.max(clock, Date.parse(row.holdUntil))
      keep(settleDeadlines([{ standing: { ...row, hashes }, decision: held }], now(), TOPICS).settlement)
    },
    /** A verdict on the last decision of the revision that stands, but for what is given. */
    verdictOf(said: Said): Verdict {
      const about = decisions.findLast((d) => d.revision === (said.revision ?? row?.revision))
      if (about === undefined) throw new Error('nothing was decided yet')
      return {
        caseId: about.caseId ?? null,
        listingId: LISTING,
        revision: about.revision,
        decisionId: about.decisionId,
        by: { subject: 'ann', role: 'analyst' },
        at: '2026-01-01T00:00:00Z',
        source: 'review',
        ...said,
      }
    },
    say(...said: Said[]) {
      return tell(
        ...said.map((one) => ({ kind: 'ok', value: { kind: 'verdict', verdict: this.verdictOf(one) } }) as const),
      )
    },
    tell,
  }
}
