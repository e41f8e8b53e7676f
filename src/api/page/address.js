// The address of a case on the page, for whoever is sent there: it stands while its details are open, without a step in the history.

/** undefined: none is named. */
export const caseInAddress = () => new URLSearchParams(location.hash.slice(1)).get('case') ?? undefined

/** @param {string | undefined} caseId undefined: what is open has no case, or nothing is open */
export function addressCase(caseId) {
  const { pathname, search } = location
  history.replaceState(null, '', caseId === undefined ? pathname + search : `#case=${encodeURIComponent(caseId)}`)
}
