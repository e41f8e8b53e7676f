// The cases that this session may see, the open ones or those closed lately: where those begin who decide, or take it back.
import { ask, part } from './ask.js'
import { byId, el, foreign, listRow, time } from './dom.js'
import { late, OPENERS, STATES } from './case.js'

const PAGE = 50

/**
 * @param {(item: { data: any, listing: any }, from: HTMLElement) => void} open
 * @param {() => void} signedOut called where the session has ended
 */
export function createCases(open, signedOut) {
  let next
  /** Answers to older questions come too late, and all of them for the next session. */
  let asked = 0
  let sessions = 0
  /** Whether those that are not open any more are shown, the last one closed on top. */
  let lately = false

  const buttons = () => [...byId('case-rows').querySelectorAll('.open')]

  /** From the beginning; who was at a case goes on with the one that is there now. */
  async function look() {
    asked += 1
    const mine = asked
    const [answer, open] = await Promise.all([page(lately), lately ? page(false) : undefined])
    if (mine !== asked) return
    if (answer.status === 401) return signedOut()
    const at = buttons().indexOf(document.activeElement)
    if (answer.status === 200) byId('case-rows').replaceChildren()
    fill(answer)
    count(open ?? answer)
    if (at >= 0) (buttons()[Math.min(at, buttons().length - 1)] ?? byId('cases-title')).focus()
  }

  /** Moves the focus by so many cases. */
  function move(by) {
    const all = buttons()
    const at = all.indexOf(document.activeElement)
    all[at === -1 ? 0 : Math.max(0, Math.min(all.length - 1, at + by))]?.focus()
  }

  const page = (closed, after) =>
    ask(
      `/v1/cases?limit=${PAGE}${closed ? '&state=any&sort=closed' : ''}${after === undefined ? '' : `&after=${part(after)}`}`,
    )

  /** How many wait, also while others are shown. */
  function count({ status, body }) {
    if (status !== 200) return
    byId('cases-count').textContent = `${body.items.length}${body.next === null ? '' : '+'}`
  }

  /** Which of the two is shown, said wherever it is. */
  function turn(closed) {
    lately = closed
    next = undefined
    byId('closed-cases').setAttribute('aria-pressed', String(closed))
    byId('cases-title').textContent = closed
      ? 'Closed cases, the last one on top'
      : 'Open cases, what is due first on top'
    byId('cases-caption').textContent = closed ? 'Closed cases' : 'Open cases'
    byId('cases-when').textContent = closed ? 'Closed' : 'Due'
    // Whoever was in the list goes on from its head.
    if (buttons().includes(document.activeElement)) byId('cases-title').focus()
    byId('case-rows').replaceChildren()
  }

  function fill({ status, body }) {
    const there = status === 200
    if (there) {
      byId('case-rows').append(...body.items.map((one) => row(one)))
      next = body.next ?? undefined
    }
    const rows = byId('case-rows').children.length
    byId('cases-list').hidden = rows === 0
    byId('more-cases').hidden = next === undefined
    byId('cases-note').textContent = there
      ? rows === 0
        ? lately
          ? 'No case was closed yet.'
          : 'Nothing waits for you.'
        : ''
      : `The cases could not be read${status === 0 ? ': the service cannot be reached' : ` (${status})`}.`
  }

  function row(one) {
    const { caseId, brandIds, dueAt, closedAt, claim, state } = one
    const about = [
      ...(brandIds.length === 0 ? [] : [`About ${brandIds.join(', ')}.`]),
      ...(claim === null ? [] : ['Somebody looks at it.']),
    ].join(' ')
    const shown = {
      ...one,
      reason: el('div', {}, ...why(one), ...(about === '' ? [] : [el('div', { class: 'about' }, about)])),
      when: state !== 'open' ? [time(closedAt)] : dueAt === null ? [] : [time(dueAt), late(dueAt)],
    }
    return listRow(shown, (button) => void show(caseId, button)).element
  }

  /** Its newest decision in full, whatever its state. */
  async function show(caseId, from) {
    const mine = sessions
    const { status, body } = await ask(`/v1/cases/${part(caseId)}`)
    if (mine !== sessions) return
    const data = status === 200 ? body.decisions.at(-1) : undefined
    if (data === undefined) byId('cases-note').textContent = 'That case is not there for you, or not any more.'
    else open({ data, listing: { title: body.title, brand: body.brand, price: body.price } }, from)
  }

  async function more() {
    const mine = asked
    const answer = await page(lately, next)
    if (mine !== asked) return
    fill(answer)
    if (!lately) byId('cases-count').textContent = `${buttons().length}${next === undefined ? '' : '+'}`
  }
  const closed = (on) => {
    turn(on)
    void look()
  }
  byId('closed-cases').addEventListener('click', () => closed(!lately))
  byId('more-cases').addEventListener('click', () => void more())

  return {
    look,
    move,
    show,
    /** Shows what is closed, or what is open again. */
    other: () => closed(!lately),
    /** From the beginning: what is open. */
    begin: () => closed(false),
    clear() {
      asked += 1
      sessions += 1
      turn(false)
      byId('cases-count').textContent = '0'
    },
  }
}

/** What spoke against it, as its details say it; before that, what else brought it here than that. */
function why({ openedBy, reason, state }) {
  if (state !== 'open') return [`${STATES[state]}. `, ...(reason === undefined ? [] : [foreign(reason.text)])]
  const opened = upper(OPENERS[openedBy])
  if (reason === undefined) return [opened]
  const stopped = openedBy === 'hold' || openedBy === 'block'
  return stopped ? [foreign(reason.text)] : [`${opened}. `, foreign(reason.text)]
}

const upper = (text) => text[0].toUpperCase() + text.slice(1)
