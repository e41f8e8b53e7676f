// A case: a listing that a person must look at, why, and until when; what became of it is in its decisions and verdicts.
import { z } from 'zod'

/** `withdrawn`: by the seller, until its next revision has a case; `released`: its deadline let it on sale; `resolved`: by verdicts. */
export const CASE_STATES = ['open', 'withdrawn', 'released', 'resolved'] as const
export type CaseState = (typeof CASE_STATES)[number]

/** `audit`: drawn from what was allowed; `appeal`: its seller answered; `review`: an analyst asked again. */
export const CASE_OPENERS = ['hold', 'block', 'audit', 'appeal', 'review'] as const
export type CaseOpener = (typeof CASE_OPENERS)[number]

export const caseStateSchema = z.enum(CASE_STATES)
export const caseOpenerSchema = z.enum(CASE_OPENERS)
