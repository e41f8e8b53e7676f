// The table of decisions: newest on top, filtered by outcome and words, with counts of what stands for each listing.
import { byId, el, foreign, listRow, time } from './dom.js'

/** Rows kept on the page: as many as anyone scrolls through, and a page left open overnight stays small. */
const MAX_ROWS = 500
/** Listings counted; beyond that the oldest are forgotten. */
const MAX_LISTINGS = 50_000

const isRefusal = (item) => item.type === 'touchstone.listing.refused.v1'
export const outcomeOf = (item) => (isRefusal(item) ? 'refused' : item.data.outcome)

export function createTable(open) {
  const body = byId('rows')
  /** Newest first. */
  let rows = []
  /** What stands for each listing: outcome of the highest sequence of the highest revision. */
  const standing = new Map()
  const refusals = new Set()
  /** Ids of all listings, decided or refused. */
  const known = new Set()
  const filter = { outcome: 'all', words: '' }
  const seen = new Set()

  function add(items) {
    const fresh = items.filter((item) => {
      // Entries may come twice after a failure.
      const id = item.data.decisionId ?? item.cursor
      return !seen.has(id) && seen.add(id)
    })
    for (const item of fresh) count(item)
    const made = fresh
      .slice(-MAX_ROWS)
      .map((item) => makeRow(item, open))
      .reverse()
    rows = [...made, ...rows]
    const fragment = document.createDocumentFragment()
    for (const row of made) {
      row.element.hidden = !matches(row)
      fragment.append(row.element)
    }
    body.prepend(fragment)
    for (const row of rows.splice(MAX_ROWS)) row.element.remove()
    while (seen.size > MAX_LISTINGS) seen.delete(seen.values().next().value)
    show()
  }

  function count(item) {
    const { listingId, revision, sequence, outcome } = item.data
    known.add(listingId)
    if (known.size > MAX_LISTINGS) known.delete(known.values().next().value)
    if (isRefusal(item)) {
      refusals.add(item.cursor)
      if (refusals.size > MAX_LISTINGS) refusals.delete(refusals.values().next().value)
      return
    }
    const before = standing.get(listingId)
    if (
      before !== undefined &&
      (before.revision > revision || (before.revision === revision && before.sequence > sequence))
    )
      return
    standing.set(listingId, { revision, sequence, outcome })
    if (standing.size > MAX_LISTINGS) standing.delete(standing.keys().next().value)
  }

  function matches({ item, words }) {
    return (filter.outcome === 'all' || filter.outcome === outcomeOf(item)) && words.includes(filter.words)
  }

  function show() {
    const counts = { all: known.size, allow: 0, hold: 0, block: 0, refused: refusals.size }
    for (const { outcome } of standing.values()) counts[outcome] += 1
    for (const cell of document.querySelectorAll('[data-count]'))
      cell.textContent = counts[cell.dataset.count].toLocaleString()
    const any = rows.some((row) => !row.element.hidden)
    byId('decisions').hidden = !any
    byId('empty').hidden = any
    const filtered = rows.length > 0
    byId('empty-title').textContent = filtered ? 'Nothing fits the filter' : 'No decisions yet'
    byId('empty-text').textContent = filtered
      ? 'Show all outcomes or clear the words.'
      : 'They appear here as listings are decided. The service is listening.'
    byId('scope').textContent = rows.length >= MAX_ROWS ? ` · rows and counts begin with the newest ${MAX_ROWS}` : ''
  }

  function refilter(change) {
    Object.assign(filter, change)
    for (const row of rows) row.element.hidden = !matches(row)
    show()
  }

  /** Moves the focus by so many visible rows. */
  function move(by) {
    const visible = rows.filter((row) => !row.element.hidden)
    const at = visible.findIndex((row) => row.element.contains(document.activeElement))
    const to = at === -1 ? 0 : Math.max(0, Math.min(visible.length - 1, at + by))
    visible[to]?.button.focus()
    visible[to]?.element.scrollIntoView({ block: 'nearest' })
  }

  function clear() {
    rows = []
    body.replaceChildren()
    standing.clear()
    refusals.clear()
    known.clear()
    seen.clear()
    show()
  }

  return { add, refilter, move, clear, show }
}

function makeRow(item, open) {
  const { data, listing } = item
  const outcome = outcomeOf(item)
  const title = listing?.title ?? data.listingId
  const reason =
    outcome === 'refused'
      ? `${data.code}: ${data.message}`
      : (data.reasons[0]?.text ?? (outcome === 'allow' ? quietReason(data) : '—'))
  const { brand, price } = listing ?? {}
  const tags = [
    data.stage !== 'screening' && data.stage,
    data.caseId !== undefined && 'case',
    data.degraded === true && 'degraded',
  ].filter(Boolean)
  const { element, button } = listRow(
    {
      outcome,
      risk: data.risk,
      title,
      brand,
      listingId: data.listingId,
      about: [
        data.revision > 1 ? ` · revision ${data.revision}` : '',
        ...tags.flatMap((tag) => [' · ', el('span', { class: 'tag' }, tag)]),
      ],
      reason: foreign(reason),
      price,
      when: [time(data.decidedAt ?? data.at)],
    },
    (from) => open(item, from),
  )
  return {
    item,
    element,
    button,
    words: [title, brand ?? '', data.listingId, data.sellerId ?? '', reason].join('\n').toLowerCase(),
  }
}

/** Allowed listings need no reason; what little spoke against them is in the details. */
function quietReason({ signals }) {
  return signals.some((s) => s.contribution > 0) ? 'Little speaks against it.' : 'Nothing speaks against it.'
}
