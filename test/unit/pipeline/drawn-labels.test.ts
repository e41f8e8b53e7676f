// Which labels count as drawn for the audit: the mark alone is not enough. Real: reading labels, drawing; made up: the stores.
import { expect, it } from 'vitest'
import type { Decision } from '../../../src/domain/decision.ts'
import type { JudgedRevision, RecordedVerdict } from '../../../src/learning/ports.ts'
import { createDraw } from '../../../src/pipeline/audit.ts'
import { decisionId } from '../../../src/pipeline/ids.ts'
import { readLabels, type LearningStores } from '../../../src/pipeline/learning/run-training.ts'
import { defaultPolicy } from '../../../src/policy/default.ts'
import { listingOf } from './assessments.ts'

const SHARE = 0.25
const OF_THE_STORE = 'of the store'
const ids = Array.from({ length: 200 }, (_, i) => decisionId(`L-${i}`, 1, 1))

function judged(id: string, i: number): JudgedRevision {
  const verdict = { verdictId: id, decisionId: id, verdict: 'rejected', at: '2026-01-01T00:00:00Z' } as RecordedVerdict
  const decision = {
    decisionId: id,
    stage: 'screening',
    audit: true,
    policy: { version: 7 },
    signals: [],
    decidedAt: verdict.at,
  }
  return {
    listing: listingOf(`L-${i}`, 1),
    sellerId: 'S',
    marketplace: null,
    verdicts: [verdict],
    decisions: [decision as unknown as Decision],
  }
}
const weightsWith = async (secret: string) => {
  const policy = { ...defaultPolicy(), version: 7, audit: { share: SHARE, dueSeconds: 1 } }
  const { labels } = await readLabels({
    reference: { policies: () => Promise.resolve([{ policy }]) } as unknown as LearningStores['reference'],
    labels: { judged: () => ReadableStream.from(ids.map(judged)) },
    draw: () => Promise.resolve(createDraw(secret)),
  })
  return labels.map((label) => label.weight)
}

it('what was spoken of at an empty name was spoken of at no marketplace', async () => {
  const { labels, spoken } = await readLabels({
    reference: { policies: () => Promise.resolve([]) } as unknown as LearningStores['reference'],
    labels: { judged: () => ReadableStream.from([{ ...judged('a', 0), marketplace: '' }]) },
    draw: () => Promise.resolve(createDraw('')),
  })
  expect([labels, spoken].map(([one]) => one?.marketplace)).toEqual([null, null])
})

it('one that was drawn with the secret of the store stands for many; one that only carries the mark for itself', async () => {
  const drawn = ids.map((id) => createDraw(OF_THE_STORE)(id, SHARE))
  expect(new Set(drawn).size).toBe(2)
  expect(await weightsWith(OF_THE_STORE)).toEqual(drawn.map((one) => (one ? 1 / SHARE : 1)))
  expect(await weightsWith('')).not.toEqual(await weightsWith(OF_THE_STORE))
})
