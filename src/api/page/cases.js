// The open cases that this session may see, what is due first on top: where those begin who decide.
import { ask, part } from './ask.js'
import { byId, el, foreign, listRow, time } from './dom.js'
import { late, OPENERS } from './case.js'

const PAGE = 50

/**
 * @param {(item: { data: any, listing: any }, from: HTMLElement) => void} open
 * @param {() => void} signedOut called where the session has ended
 */
export function createCases(open, signedOut) {
  let next
  /** Answers to older questions come too late. */
  let asked = 0

  const buttons = () => [...byId('case-rows').querySelectorAll('.open')]

  /** From the beginning; who was at a case goes on with the one that is there now. */
  async function look() {
    asked += 1
    const mine = asked
    const answer = await page()
    if (mine !== asked) return
    if (answer.status === 401) return signedOut()
    const at = buttons().indexOf(document.activeElement)
    if (answer.status === 200) byId('case-rows').replaceChildren()
    fill(answer)
    if (at >= 0) (buttons()[Math.min(at, buttons().length - 1)] ?? byId('cases-title')).focus()
  }

  /** Moves the focus by so many cases. */
  function move(by) {
    const all = buttons()
    const at = all.indexOf(document.activeElement)
    all[at === -1 ? 0 : Math.max(0, Math.min(all.length - 1, at + by))]?.focus()
  }

  const page = (after) => ask(`/v1/cases?limit=${PAGE}${after === undefined ? '' : `&after=${part(after)}`}`)

  function fill({ status, body }) {
    const there = status === 200
    if (there) {
      byId('case-rows').append(...body.items.map((one) => row(one)))
      next = body.next ?? undefined
    }
    const rows = byId('case-rows').children.length
    byId('cases-list').hidden = rows === 0
    byId('more-cases').hidden = next === undefined
    byId('cases-count').textContent = `${rows}${next === undefined ? '' : '+'}`
    byId('cases-note').textContent = there
      ? rows === 0
        ? 'Nothing waits for you.'
        : ''
      : `The cases could not be read${status === 0 ? ': the service cannot be reached' : ` (${status})`}.`
  }

  function row(one) {
    const { caseId, brandIds, dueAt, claim } = one
    const about = [
      ...(brandIds.length === 0 ? [] : [`About ${brandIds.join(', ')}.`]),
      ...(claim === null ? [] : ['Somebody looks at it.']),
    ].join(' ')
    const shown = {
      ...one,
      reason: el('div', {}, ...why(one), ...(about === '' ? [] : [el('div', { class: 'about' }, about)])),
      when: dueAt === null ? [] : [time(dueAt), late(dueAt)],
    }
    return listRow(shown, (button) => void show(caseId, one, button)).element
  }

  /** Its newest decision in full. */
  async function show(caseId, { title, brand, price }, from) {
    const { status, body } = await ask(`/v1/cases/${part(caseId)}`)
    const data = status === 200 ? body.decisions.at(-1) : undefined
    if (data === undefined) byId('cases-note').textContent = 'That case is not there for you any more.'
    else open({ data, listing: { title, brand, price } }, from)
  }

  async function more() {
    const mine = asked
    const answer = await page(next)
    if (mine === asked) fill(answer)
  }
  byId('more-cases').addEventListener('click', () => void more())

  return {
    look,
    move,
    clear() {
      asked += 1
      next = undefined
      byId('case-rows').replaceChildren()
      byId('cases-count').textContent = '0'
    },
  }
}

/** What spoke against it, as its details say it; before that, what else brought it here than that. */
function why({ openedBy, reason }) {
  const opened = upper(OPENERS[openedBy])
  if (reason === undefined) return [opened]
  const stopped = openedBy === 'hold' || openedBy === 'block'
  return stopped ? [foreign(reason.text)] : [`${opened}. `, foreign(reason.text)]
}

const upper = (text) => text[0].toUpperCase() + text.slice(1)
