// Which pictures a case keeps, for who sees them and who names them: of its revision, and of those before the edits.

/** So many of earlier revisions, besides those that the case was opened with; whoever needs more names them by HTTP. */
const MOST_EARLIER = 24

/** What the case keeps: of its revision all, then of earlier ones what that one does not show. */
export function keptOf({ pictures, revision, openedRevision }) {
  const own = pictures.filter((one) => one.revision === revision)
  const seen = new Set(own.map(({ sha256 }) => sha256))
  const isNew = ({ sha256 }) => !seen.has(sha256) && seen.add(sha256)
  const earlier = pictures.filter((one) => one.revision < revision && isNew(one))
  // What it was opened with joins, however much that is.
  return { own, earlier: earlier.filter((one, at) => at < MOST_EARLIER || one.revision === openedRevision) }
}

export const earlierInWords = (revision, ordinal) => `Picture ${ordinal + 1} of revision ${revision}, before the edit`

/** What is said of a picture beside its name, where the service knew it when the case was opened. */
export const shownInWords = ({ shownElsewhere }) => (shownElsewhere === true ? ': other sellers have it on sale' : '')

/** By place, from 0: what the listing shows by the revision of the case, and this session cannot look at. */
export function missingFrom({ pictures, pictureCount, revision }) {
  const there = new Set(pictures.filter((one) => one.revision === revision).map(({ ordinal }) => ordinal))
  return Array.from({ length: pictureCount.listed }, (_, ordinal) => ordinal).filter((ordinal) => !there.has(ordinal))
}

/** "2", "2 and 5", "2, 5 and 8 to 11": as people count, in rising order. */
export function placesInWords(ordinals) {
  const runs = []
  for (const ordinal of ordinals) {
    const last = runs.at(-1)
    if (last !== undefined && last[1] + 1 === ordinal) last[1] = ordinal
    else runs.push([ordinal, ordinal])
  }
  const words = runs.flatMap(([from, to]) =>
    to - from > 1 ? [`${from + 1} to ${to + 1}`] : from === to ? [`${from + 1}`] : [`${from + 1}`, `${to + 1}`],
  )
  const last = words.pop()
  return words.length === 0 ? last : `${words.join(', ')} and ${last}`
}
