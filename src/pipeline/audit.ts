// The audit sample: which allowed listings a person looks at all the same, drawn from the decision's id alone.
import { createHash } from 'node:crypto'

/** 48 bits are as many as one read gives and far finer than any share. */
const BYTES = 6

/**
 * Whether the decision is drawn where `share` of all is. The same answer wherever it is asked, so that a batch that is
 * settled twice draws the same; a larger share keeps all that a smaller one drew.
 */
export function isDrawn(decisionId: string, share: number): boolean {
  const place = createHash('sha256').update(`audit/${decisionId}`).digest().readUIntBE(0, BYTES)
  return place < share * 2 ** (8 * BYTES)
}
