// Identifiers that anyone can compute again: uuid version 5 (RFC 9562) of a JSON array in one fixed namespace.
import { v5 } from 'uuid'

const NAMESPACE = 'd3b1f7a2-5c0e-4b9d-8a46-71e2c95d0f38'

/** `["L-1",1,1]` gives 6d7e4bce-ad2b-5c38-9af1-f764ecc399eb. */
export function decisionId(listingId: string, revision: number, sequence: number): string {
  return v5(JSON.stringify([listingId, revision, sequence]), NAMESPACE)
}

/** A case is named by the decision that opened it. */
export function caseId(listingId: string, revision: number, sequence: number): string {
  return v5(JSON.stringify(['case', listingId, revision, sequence]), NAMESPACE)
}

/** A refusal is named by the record that was refused: the same record refused again after a replay has the same id. */
export function refusalId(
  listingId: string,
  revision: number,
  at: { topic: string; partition: number; offset: bigint },
): string {
  return v5(JSON.stringify(['refusal', listingId, revision, at.topic, at.partition, at.offset.toString()]), NAMESPACE)
}

/** The same text on the same revision is the same appeal, however often it is sent. */
export function appealId(listingId: string, revision: number, text: string): string {
  return v5(JSON.stringify(['appeal', listingId, revision, text]), NAMESPACE)
}
