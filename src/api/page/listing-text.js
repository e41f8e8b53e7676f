// The listing's own words, with the places marked that the evidence points at.
import { el, foreign } from './dom.js'

export function listingText(listing, signals) {
  const spans = signals.flatMap((s) => spansIn(s.evidence).map((span) => ({ ...span, signal: s.name })))
  const fields = ['title', 'brand', 'description'].filter((f) => typeof listing[f] === 'string' && listing[f] !== '')
  const shown = fields.flatMap((field) => [
    el('dt', {}, field),
    el(
      'dd',
      { dir: 'auto', class: 'listing-text' },
      ...marked(
        listing[field],
        spans.filter((s) => s.field === field),
      ),
    ),
  ])
  for (const [name, value] of [
    ['category', listing.category?.join(' › ')],
    ['condition', listing.condition],
    ['quantity', listing.quantity],
    ['ships from', listing.shipsFrom],
  ]) {
    if (value !== undefined && value !== '') shown.push(el('dt', {}, name), el('dd', {}, foreign(value)))
  }
  return el('dl', {}, ...shown)
}

/** Whatever in the evidence points at a place in the listing's text. */
function spansIn(value) {
  if (Array.isArray(value)) return value.flatMap(spansIn)
  if (typeof value !== 'object' || value === null) return []
  const own =
    Number.isInteger(value.start) && Number.isInteger(value.end) && typeof value.field === 'string' ? [value] : []
  return [...own, ...Object.values(value).flatMap(spansIn)]
}

/** The text cut at every span's ends; what lies in one or more spans is marked with the signals' names. */
function marked(original, spans) {
  const sound = spans.filter((s) => s.start >= 0 && s.start < s.end && s.end <= original.length)
  const cuts = [...new Set([0, original.length, ...sound.flatMap((s) => [s.start, s.end])])].sort((a, b) => a - b)
  return cuts.slice(0, -1).map((from, i) => {
    const piece = original.slice(from, cuts[i + 1])
    const names = [...new Set(sound.filter((s) => s.start <= from && s.end > from).map((s) => s.signal))]
    return names.length === 0
      ? foreign(piece)
      : el(
          'mark',
          { title: names.join(', ') },
          foreign(piece),
          el('span', { class: 'visually-hidden' }, ` (${names.join(', ')})`),
        )
  })
}
