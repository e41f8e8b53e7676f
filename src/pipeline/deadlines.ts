// The clock: a hold that nobody answered is decided when its deadline passes, once, on whichever node is first.
import type { Decision, Reason } from '../domain/decision.ts'
import type { TopicNames } from '../events/topics.ts'
import type { Telemetry } from '../telemetry.ts'
import { closeCaseOf } from './case-of-decision.ts'
import { decisionId } from './ids.ts'
import { createLoop, type Loop } from './loop.ts'
import type { DueHold, GateStore, Settlement, Standing } from './ports.ts'
import { SettlementDraft } from './settlement.ts'

/** One transaction decides this many; a backlog is worked off without pause. */
const LIMIT = 100
/** A hold that another node opened is seen within this long. */
const LONGEST_NAP_MS = 1_000
const SHORTEST_NAP_MS = 50

const ON_SALE: Reason = {
  code: 'hold-ended',
  text: 'The time to look at the listing has passed without an objection.',
}
const NOT_REVIEWED: Reason = {
  code: 'not-reviewed-in-time',
  text: 'Nobody could look at the listing before its hold ended.',
}

const NOT_CHECKED: Reason = {
  code: 'not-checked-in-time',
  text: 'One of our checks could not look at all of the listing before its hold ended. Please mend what is named here and send a new revision, or object to the decision.',
}

/** Pure: the decisions that a passed deadline makes. `allow` ends the case; `block` leaves it open for a person. */
export function settleDeadlines(
  due: readonly DueHold[],
  now: Date,
  topics: TopicNames,
): { settlement: Settlement; decided: Decision[] } {
  const standings = new Map<string, Standing>(due.map((d) => [d.standing.listingId, d.standing]))
  const draft = new SettlementDraft(standings, topics)
  const decided: Decision[] = []
  for (const { standing, decision: held } of due) {
    const row = draft.of(standing.listingId)
    const outcome = held.hold?.onDeadline ?? 'block'
    const sequence = row.sequence + 1
    const { hold: _, ...rest } = held
    const decision: Decision = {
      ...rest,
      decisionId: decisionId(held.listingId, held.revision, sequence),
      sequence,
      stage: 'deadline',
      outcome,
      decidedAt: now.toISOString(),
      reasons:
        outcome === 'allow' ? [ON_SALE] : [...held.reasons, NOT_REVIEWED, ...(held.degraded ? [NOT_CHECKED] : [])],
    }
    draft.decision(decision)
    if (outcome === 'allow' && row.caseId !== null) {
      closeCaseOf(decision, row, draft, { caseId: row.caseId, change: 'released', at: decision.decidedAt })
      row.caseId = null
    }
    row.sequence = sequence
    row.outcome = outcome
    row.holdUntil = null
    row.changed = true
    decided.push(decision)
  }
  return { settlement: draft.done(), decided }
}

export function createClock(options: {
  store: GateStore
  topics: TopicNames
  telemetry: Telemetry
  decided?: (decisions: readonly Decision[]) => void
}): Loop {
  const { store, topics, telemetry } = options
  return createLoop('clock', telemetry.log, async () => {
    let decided: Decision[] = []
    const settled = await store.settleDue(LIMIT, (due, now) => {
      const result = settleDeadlines(due, now, topics)
      decided = result.decided
      return result.settlement
    })
    for (const decision of decided) {
      telemetry.metrics.touchstone_decisions_total.inc({ outcome: decision.outcome, stage: decision.stage })
      telemetry.metrics.touchstone_holds_released_total.inc({ outcome: decision.outcome })
    }
    if (decided.length > 0) options.decided?.(decided)
    if (settled === LIMIT) return 0
    const next = await store.nextDeadline()
    // What is due and was not settled is in another node's hands.
    return Math.min(Math.max(next ?? LONGEST_NAP_MS, settled === 0 ? SHORTEST_NAP_MS : 0), LONGEST_NAP_MS)
  })
}
