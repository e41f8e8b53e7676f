// What a marketplace's own systems may see of decisions over HTTP: what matched, not through whose case or upload it is known.
import type { Caller } from '../domain/access.ts'
import { forMarketplaces } from '../domain/bank-evidence.ts'
import type { Decision } from '../domain/decision.ts'
import type { ListingHistory } from '../pipeline/ports.ts'

const isMarketplace = ({ role }: Caller): boolean => role === 'ingest'

export const decisionFor = (caller: Caller, decision: Decision): Decision =>
  isMarketplace(caller) ? forMarketplaces(decision) : decision

export const historyFor = (caller: Caller, history: ListingHistory): ListingHistory =>
  isMarketplace(caller) ? { ...history, decisions: history.decisions.map(forMarketplaces) } : history
