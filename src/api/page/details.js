// One decision in full: the text with the evidence marked in it, each signal's share of the risk, what came before.
import { addressCase } from './address.js'
import { ask, isEnded, part, reviews } from './ask.js'
import { caseOf } from './case.js'
import { badge, byId, el, foreign, money, risk, time } from './dom.js'
import { listingText } from './listing-text.js'
import { picturesOf } from './pictures.js'
import { outcomeOf } from './table.js'

export function createDetails() {
  const dialog = byId('details')
  let opener
  let asked = 0
  let session
  byId('close').addEventListener('click', () => dialog.close())
  // A click on the backdrop has the dialog itself as its target.
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close())
  dialog.addEventListener('close', () => {
    // Whose session has ended goes on with the case when they have signed in again.
    if (session !== undefined && !isEnded()) addressCase(undefined)
    opener?.focus()
  })

  async function open(item, from) {
    opener = from
    asked += 1
    const mine = asked
    byId('details-title').replaceChildren(foreign(item.listing?.title ?? item.data.listingId, { dir: 'auto' }))
    byId('details-body').replaceChildren(...parts(item, undefined, 'Loading the listing…'))
    dialog.scrollTop = 0
    if (!dialog.open) dialog.showModal()
    addressCase(reviews(session) ? item.data.caseId : undefined)
    byId('details-title').focus()
    const [history, failure] = await historyOf(item)
    if (mine !== asked) return
    byId('details-body').replaceChildren(...parts(item, history, failure, whole(item, history)))
    stands(item, history)
  }

  /** What needs the history, and asks for more by itself: pictures and the case. */
  function whole(item, history) {
    // The feed leaves out through which case a picture is known.
    const decision = history?.decisions.find((d) => d.decisionId === item.data.decisionId) ?? item.data
    const look = () =>
      decision.caseId === undefined ? Promise.resolve({ status: 404 }) : ask(`/v1/cases/${part(decision.caseId)}`)
    const theCase = reviews(session) ? look() : Promise.resolve({ status: 403 })
    const about = {
      decision,
      session,
      theCase,
      look,
      changed: async () => stands(item, (await historyOf(item))[0]),
      show: (revision) => void showNewest(item, revision),
    }
    return { decision, pictures: picturesOf(about), theCase: decision.caseId && caseOf(about) }
  }

  /** The newest decision of a revision, in place of the one that is shown. */
  async function showNewest(item, revision) {
    const [history] = await historyOf(item)
    const data = history?.decisions.findLast((d) => d.revision === revision)
    if (data === undefined) return
    await open({ data, listing: history.revisions.find((r) => r.revision === revision)?.listing }, opener)
  }

  /** A decision is for ever; what stands by now, and what came before, is told beside it. */
  function stands(item, history) {
    const before = byId('history')
    if (history === undefined || before === null) return
    before.replaceChildren(el('h3', {}, 'History'), past(history))
    before.hidden = history.decisions.length + history.refusals.length < 2
    const last = history.decisions.at(-1)
    const old = last !== undefined && item.data.outcome !== undefined && last.decisionId !== item.data.decisionId
    const button = el('button', { type: 'button', class: 'small' }, 'Show')
    button.addEventListener('click', () => void showNewest(item, last.revision))
    byId('stands').replaceChildren(
      ...(old
        ? ['Stands by now: ', badge(last.outcome), ` by ${last.stage}, `, time(last.decidedAt), ' ', button]
        : []),
    )
  }

  return {
    open,
    /** Nothing of a session stays on the page after its end, nor comes later. */
    clear() {
      asked += 1
      session = undefined
      if (dialog.open) dialog.close()
      for (const id of ['details-title', 'details-body']) byId(id).replaceChildren()
    },
    isOpen: () => dialog.open,
    /** Whose session it is; what it may not see is not asked for. */
    as: (who) => (session = who),
  }
}

async function historyOf({ data }) {
  const { status, body } = await ask(`/v1/listings/${part(data.listingId)}`)
  if (status === 200) return [body, undefined]
  if (status === 404) return [undefined, undefined]
  const why = status === 0 ? ': the service cannot be reached' : ` (${status})`
  return [undefined, `The listing could not be read${why}.`]
}

function parts(item, history, note, more) {
  const { data } = item
  const refused = outcomeOf(item) === 'refused'
  const listing = history?.revisions.find((r) => r.revision === data.revision)?.listing
  const sections = [summary(item, more?.theCase)]
  if (note !== undefined) sections.push(el('p', { class: 'hint' }, note))
  if (refused) {
    sections.push(
      section(
        'Refused',
        el('p', {}, el('code', {}, data.code), ' ', foreign(data.message)),
        data.path === '' ? '' : el('p', { class: 'hint' }, 'Field: ', el('code', {}, foreign(data.path))),
      ),
    )
  } else if (data.reasons.length > 0) {
    sections.push(
      section('Reasons, as the seller reads them', el('ul', {}, ...data.reasons.map((r) => el('li', {}, r.text)))),
    )
  }
  if (more?.pictures !== undefined) sections.push(more.pictures)
  if (listing !== undefined) sections.push(section('The listing', listingText(listing, refused ? [] : data.signals)))
  if (more?.theCase !== undefined) sections.push(more.theCase)
  if (!refused) sections.push(section('What the risk is made of', contributions(data)))
  if (!refused) sections.push(section('Evidence', ...(more?.decision ?? data).signals.map(evidence)))
  // Filled by `stands`, also when something comes to it while it is shown.
  sections.push(el('section', { id: 'history', hidden: true }))
  return sections
}

const section = (title, ...children) => el('section', {}, el('h3', {}, title), ...children)

function summary({ data, listing }, theCase) {
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
    ['Models', data.models === undefined ? undefined : modelsOf(data)],
    [
      'Held until',
      data.hold === undefined ? undefined : el('span', {}, time(data.hold.until), `, then ${data.hold.onDeadline}`),
    ],
    ['Degraded', data.degraded === true ? 'a signal could not look at everything; decided without that' : undefined],
    [
      'Rules',
      data.rules?.length > 0 ? data.rules.map((r) => `${r.ruleId} (${r.mode}: ${r.outcome})`).join(', ') : undefined,
    ],
    ['Case', theCase === undefined ? undefined : toCase()],
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
    el('p', { id: 'stands' }),
    el('dl', {}, ...facts.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])),
  )
}

/** A version that has not learnt on this marketplace leaves it to an earlier one, which it carries. */
function modelsOf({ models, modelParts = {} }) {
  const named = ([name, version]) =>
    `${name} ${version}${modelParts[name] === undefined ? '' : `, by its part ${modelParts[name]}`}`
  return Object.entries(models).map(named).join('; ')
}

/** Down to the case: not by the address, which would add a step to the history. */
function toCase() {
  const button = el('button', { type: 'button', class: 'small' }, 'To the case')
  button.addEventListener('click', () => byId('case').focus())
  return button
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
