// Which pictures a case keeps, for who sees them and who names them: of its revision, and of those before the edits.

/** So many of earlier revisions; whoever needs more names them by HTTP. */
const MOST_EARLIER = 24

/** What the case keeps: of its revision all, then of earlier ones what that one does not show. */
export function keptOf({ pictures, revision }) {
  const own = pictures.filter((one) => one.revision === revision)
  const seen = new Set(own.map(({ sha256 }) => sha256))
  const isNew = ({ sha256 }) => !seen.has(sha256) && seen.add(sha256)
  return { own, earlier: pictures.filter((one) => one.revision < revision && isNew(one)).slice(0, MOST_EARLIER) }
}

export const earlierInWords = (revision, ordinal) => `Picture ${ordinal + 1} of revision ${revision}, before the edit`
