// CloudEvents `source` of what this system writes.

/** Decisions, refusals and the like. */
export const GATE_SOURCE = 'urn:touchstone:gate'
/** Listings that came in by HTTP. */
export const HTTP_SOURCE = 'urn:touchstone:http'
/** The same, by a key that is bound to one marketplace: it may not take over listings that belong to none. */
export const BOUND_SOURCE = 'urn:touchstone:http:bound'
