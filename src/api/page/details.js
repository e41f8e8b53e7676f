// One decision in full: the text with the evidence marked in it, each signal's share of the risk, what came before.
import { badge, byId, el, foreign, money, risk, time } from './dom.js'
import { outcomeOf } from './table.js'

export function createDetails() {
  const dialog = byId('details')
  let opener
  let asked = 0
  byId('close').addEventListener('click', () => dialog.close())
  // A click on the backdrop has the dialog itself as its target.
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close())
  dialog.addEventListener('close', () => opener?.focus())

  async function open(item, from) {
    opener = from
    asked += 1
    const mine = asked
    byId('details-title').replaceChildren(foreign(item.listing?.title ?? item.data.listingId, { dir: 'auto' }))
    byId('details-body').replaceChildren(...parts(item, undefined, 'Loading the listing…'))
    if (!dialog.open) dialog.showModal()
    byId('details-title').focus()
    let history
    let failure
    try {
      const response = await fetch(`/v1/listings/${encodeURIComponent(item.data.listingId)}`)
      if (response.ok) history = await response.json()
      else if (response.status !== 404) failure = `The listing could not be read (${response.status}).`
    } catch {
      failure = 'The listing could not be read: the service cannot be reached.'
    }
    if (mine === asked) byId('details-body').replaceChildren(...parts(item, history, failure))
  }

  return { open, close: () => dialog.open && dialog.close(), isOpen: () => dialog.open }
}

function parts(item, history, note) {
  const { data } = item
  const refused = outcomeOf(item) === 'refused'
  const listing = history?.revisions.find((r) => r.revision === data.revision)?.listing
  const sections = [summary(item)]
  if (note !== undefined) sections.push(el('p', { class: 'hint' }, note))
  if (refused) {
    sections.push(
      section(
        'Refused',
        el('p', {}, el('code', {}, data.code), ' ', foreign(data.message)),
        data.path === '' ? '' : el('p', { class: 'hint' }, 'Field: ', el('code', {}, foreign(data.path))),
      ),
    )
  } else {
    if (data.reasons.length > 0) {
      sections.push(
        section('Reasons, as the seller reads them', el('ul', {}, ...data.reasons.map((r) => el('li', {}, r.text)))),
      )
    }
    sections.push(section('What the risk is made of', contributions(data)))
  }
  if (listing !== undefined) sections.push(section('The listing', text(listing, refused ? [] : data.signals)))
  // The feed leaves out through which case a picture is known.
  const whole = history?.decisions.find((d) => d.decisionId === data.decisionId) ?? data
  if (!refused) sections.push(section('Evidence', ...whole.signals.map(evidence)))
  if (history !== undefined && history.decisions.length + history.refusals.length > 1)
    sections.push(section('History', past(history)))
  return sections
}

const section = (title, ...children) => el('section', {}, el('h3', {}, title), ...children)

function summary({ data, listing }) {
  const outcome = data.outcome ?? 'refused'
  const facts = [
    ['Listing', foreign(`${data.listingId}, revision ${data.revision}`)],
    ['Seller', data.sellerId === undefined ? undefined : foreign(data.sellerId)],
    ['Brand as stated', listing?.brand === undefined ? undefined : foreign(listing.brand)],
    ['About the brands', data.brandIds?.length > 0 ? data.brandIds.join(', ') : undefined],
    ['Price', listing?.price === undefined ? undefined : money(listing.price)],
    ['Decided', time(data.decidedAt ?? data.at)],
    ['Stage', data.stage],
    ['Policy', data.policy === undefined ? undefined : `${data.policy.policyId}, version ${data.policy.version}`],
    [
      'Held until',
      data.hold === undefined ? undefined : el('span', {}, time(data.hold.until), `, then ${data.hold.onDeadline}`),
    ],
    ['Degraded', data.degraded === true ? 'a signal could not look at everything; decided without that' : undefined],
    [
      'Rules',
      data.rules?.length > 0 ? data.rules.map((r) => `${r.ruleId} (${r.mode}: ${r.outcome})`).join(', ') : undefined,
    ],
  ].filter(([, value]) => value !== undefined)
  return el(
    'div',
    { class: 'summary' },
    el(
      'p',
      { class: 'verdict' },
      badge(outcome),
      data.risk === undefined ? '' : ` Risk ${risk(data.risk)}, ${data.riskClass}`,
    ),
    el('dl', {}, ...facts.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])),
  )
}

/** Bars around zero, in natural log-odds: to the right speaks against the listing, to the left for it. */
function contributions(data) {
  const rows = [{ name: 'before any evidence', state: 'base', contribution: data.base }, ...data.signals]
  const largest = Math.max(2, ...rows.map((r) => Math.abs(r.contribution)))
  const made = rows.map(({ name, state, score, incomplete, contribution, shadow }) => {
    const bar = el('span', { class: `fill ${contribution < 0 ? 'for' : 'against'}` })
    bar.style.inlineSize = `${(Math.abs(contribution) / largest) * 50}%`
    const said =
      state === 'scored'
        ? `score ${score.toFixed(2)}${incomplete === true ? ', of a part' : ''}`
        : state === 'base'
          ? ''
          : state
    return el(
      'tr',
      { class: contribution === 0 ? 'none' : '' },
      el('th', { scope: 'row' }, name, shadow === true ? ' (shadow)' : ''),
      el('td', { class: 'said' }, said),
      el('td', { class: 'track' }, el('span', { class: 'bar-box', 'aria-hidden': 'true' }, bar)),
      el(
        'td',
        { class: 'number' },
        `${contribution > 0 ? '+' : contribution < 0 ? '−' : ''}${Math.abs(contribution).toFixed(2)}`,
      ),
    )
  })
  return el(
    'div',
    {},
    el(
      'table',
      { class: 'shares' },
      el('caption', { class: 'visually-hidden' }, 'Share of each signal in log-odds'),
      el('tbody', {}, ...made),
    ),
    el('p', { class: 'hint' }, 'Log-odds: to the right speaks against the listing, to the left for it.'),
  )
}

function text(listing, signals) {
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

function evidence({ name, version, state, evidence: what, durationMs }) {
  const empty = Object.keys(what).length === 0
  return el(
    'details',
    {},
    el(
      'summary',
      {},
      `${name} ${version}`,
      el('span', { class: 'hint' }, ` ${state}, ${durationMs.toFixed(2)} ms${empty ? ', no evidence' : ''}`),
    ),
    empty
      ? el('p', { class: 'hint' }, 'Nothing was recorded.')
      : el('pre', { tabindex: '0' }, foreign(JSON.stringify(what, null, 2))),
  )
}

function past({ decisions, refusals }) {
  const all = [
    ...decisions.map((d) => ({
      at: d.decidedAt,
      outcome: d.outcome,
      text: `revision ${d.revision}, ${d.stage}, risk ${risk(d.risk)}`,
    })),
    ...refusals.map((r) => ({ at: r.at, outcome: 'refused', text: `revision ${r.revision}, ${r.code}` })),
  ].sort((a, b) => (a.at < b.at ? 1 : -1))
  return el('ol', { class: 'past' }, ...all.map((p) => el('li', {}, badge(p.outcome), ' ', p.text, ' · ', time(p.at))))
}
