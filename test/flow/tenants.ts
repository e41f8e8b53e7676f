// What stories of tenants with their pictures do at a running gate: listings that only a picture speaks against, banks that are filled.
import { expect } from 'vitest'
import type { Decision } from '../../src/domain/decision.ts'
import { call } from './reviewing.ts'

export const inline = (picture: Buffer) => ({ data: picture.toString('base64') })
let listings = 0

/** A listing of a seller of its own, or of whom it is said, with nothing against it but perhaps its picture. */
export async function honest(picture: Buffer, title = 'A wooden chair', sellerId?: string): Promise<Decision> {
  const listingId = `honest-${++listings}`
  const seller = { sellerId: sellerId ?? `seller of ${listingId}` }
  const listing = { listingId, revision: 1, ...seller, title, images: [inline(picture)] }
  return (await call<Decision>('POST', '/v1/listings', 'ingest', listing)).body
}
/** Asked with a listing of its own each time, until the gate knows. */
export async function becomes(outcome: Decision['outcome'], picture: Buffer, title?: string): Promise<Decision> {
  const end = Date.now() + 10_000
  for (;;) {
    const decision = await honest(picture, title)
    if (decision.outcome === outcome) return decision
    if (Date.now() > end) throw new Error(`it never became ${outcome}`)
  }
}
export const matchesOf = (decision: Decision) =>
  (decision.signals.find(({ name }) => name === 'image-hash')?.evidence['matches'] ?? []) as Record<string, unknown>[]
export const upload = async (
  as: 'rolex' | 'omega' | 'analyst',
  bank: { bankId: string; kind: string },
  picture: Buffer,
) => {
  await call('POST', '/v1/banks', as, { name: 'Of ours', brandId: as === 'analyst' ? null : as, ...bank })
  const made = await call<{ added: { imageId: string } }>(
    'POST',
    `/v1/banks/${bank.bankId}/images`,
    as,
    inline(picture),
  )
  expect(made.status).toBe(201)
  return made.body.added.imageId
}
