// The audit sample: which allowed listings a person looks at all the same, drawn from the decision's id and a secret of the store.
import { createHmac } from 'node:crypto'

/** 48 bits are as many as one read gives and far finer than any share. */
const BYTES = 6

/** Whether the decision of this id is drawn where `share` (0 to 1) of all is. */
export type Draw = (decisionId: string, share: number) => boolean

/**
 * The same answer wherever it is asked with the same secret, so that a batch that is settled twice draws the same; a larger
 * share keeps all that a smaller one drew. Ids of decisions follow from what a seller sends: without the secret a seller
 * could go through revisions until one is not drawn.
 */
export function createDraw(secret: string): Draw {
  return (decisionId, share) => {
    const place = createHmac('sha256', secret).update(`audit/${decisionId}`).digest().readUIntBE(0, BYTES)
    return place < share * 2 ** (8 * BYTES)
  }
}
