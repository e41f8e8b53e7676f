// What opening a case again leaves as it was. Real: settling; made up: what the store gives.
import { expect, it } from 'vitest'
import { settleReopening } from '../../../src/pipeline/review/settle-reopening.ts'
import { assessment } from './assessments.ts'
import { again, LATER, screened, shows, topics } from './tried-again.ts'

it('is about the brands that it was about, also where the decision that let it on sale named them no more', () => {
  const { standing, decision } = screened({ ...shows(assessment('hold'), 'a'), brandIds: [], knownTo: ['gucci'] })
  const { decided, settlement } = again(shows(assessment('allow'), 'a'), standing, [decision], { afterChange: 5n })
  const [row] = settlement.standings
  if (row === undefined || decision.caseId === undefined) throw new Error('nothing was decided')
  const one = {
    caseId: decision.caseId,
    listingId: 'L',
    revision: 1,
    state: 'released' as const,
    openedBy: 'hold' as const,
    brandIds: ['gucci'],
    pictures: [],
  }
  // As a version wrote it that named in a decision only what the listing's words do.
  const decisions = [decision, ...decided.map((d) => ({ ...d, brandIds: ['nike'] }))]
  const settled = settleReopening(
    {
      standing: { ...row, hashes: new Map() },
      decisions,
      verdicts: [],
      one,
      recorded: new Map(),
      before: new Set(),
      appeals: new Set(),
    },
    one,
    { verdictId: 'V', reason: 'again', takeBack: false, by: { subject: 'ann', role: 'analyst' } },
    { topics, now: LATER, dueSeconds: 60 },
  )
  expect(settled.writes?.cases).toMatchObject([{ change: 'reopened', brandIds: ['nike', 'gucci'] }])
})
