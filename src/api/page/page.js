// The page: follows the feed, fills the table, opens details, and says what state it is in.
import { addressCase, caseInAddress } from './address.js'
import { ask, reviews } from './ask.js'
import { createCases } from './cases.js'
import { createDetails } from './details.js'
import { byId, nameOf } from './dom.js'
import { follow } from './feed.js'
import { createTable } from './table.js'

const details = createDetails()
const table = createTable((item, from) => details.open(item, from))
const cases = createCases(
  (item, from) => void details.open(item, from),
  () => state('signed-out'),
)
let session
/** Whether the cases are shown, in place of the decisions. */
let atCases = false
let feed
let paused = false
/** What came while the page was paused; the newest are kept. */
let held = []
const MAX_HELD = 5_000

const WORDS = {
  connecting: 'Connecting',
  live: 'Live',
  paused: 'Paused',
  lost: 'Connection lost',
  'signed-out': 'Signed out',
  forbidden: 'No access',
  signed: 'Signed in',
}

function state(name, detail) {
  const shown = name === 'live' && paused ? 'paused' : name
  byId('status').dataset.state = shown
  const text = WORDS[shown] + (shown === 'paused' && held.length > 0 ? `, ${held.length.toLocaleString()} waiting` : '')
  // Written only when it changes: a status that is written again is read out again.
  if (byId('status-text').textContent !== text) byId('status-text').textContent = text
  const out = name === 'signed-out' || name === 'forbidden'
  byId('live').hidden = out
  byId('signed-out').hidden = !out
  byId('account').hidden = name === 'signed-out'
  byId('lost').hidden = name !== 'lost'
  const lost = `Connection lost (${detail}). What is below may be out of date; trying again.`
  if (name === 'lost' && byId('lost').textContent !== lost) byId('lost').textContent = lost
  if (!out) return
  feed?.stop()
  feed = undefined
  const ended = session !== undefined
  // Before the details close, which would ask for the cases anew.
  session = undefined
  details.clear()
  table.clear()
  cases.clear()
  held = []
  if (name === 'forbidden') {
    byId('key-error').textContent =
      'This account may not see the decisions of all brands. Sign in as an analyst, an administrator or a rights holder.'
  } else if (ended) {
    const then = caseInAddress() === undefined ? '' : ', and you are back at the case'
    byId('key-error').textContent = `Your session has ended. Sign in again${then}.`
    byId('key').focus()
  }
}

/** Which of the two is shown; a rights holder has no feed. */
function view(toCases) {
  atCases = toCases
  const own = session?.role === 'brand'
  byId('feed').hidden = toCases
  byId('cases').hidden = !toCases
  byId('tools').hidden = toCases
  byId('feed-keys').hidden = toCases
  byId('case-keys').hidden = !toCases
  byId('filters').hidden = own
  byId('to-cases').hidden = own || !reviews(session)
  byId('to-cases').setAttribute('aria-pressed', String(toCases))
  byId('filters').classList.toggle('away', toCases)
}

/** Asked for once in so many milliseconds at most, however fast decisions come. */
const COUNT_MS = 3_000
let counting

function countCases() {
  counting ??= setTimeout(() => {
    counting = undefined
    // Under the hands of who reads them they stay as they are.
    if (reviews(session) && !atCases) void cases.look()
  }, COUNT_MS)
}

function entries(items) {
  if (items.some(({ data }) => data.caseId !== undefined)) countCases()
  if (!paused) return table.add(items)
  held = [...held, ...items].slice(-MAX_HELD)
  state('live')
}

function setPaused(on) {
  paused = on
  byId('pause').setAttribute('aria-pressed', String(on))
  byId('pause').textContent = on ? 'Resume' : 'Pause'
  if (!on) {
    table.add(held)
    held = []
  }
  if (feed !== undefined) state('live')
}

async function begin() {
  state('connecting')
  table.show()
  if (await isSignedOut()) return state('signed-out')
  if (session?.role === 'brand') return state('signed')
  feed = follow({ entries, state: followed })
}

/** Who this is; where the service cannot be reached the feed finds out by itself and tries again. */
async function isSignedOut() {
  const { status, body } = await ask('/v1/session')
  if (status === 401) return true
  if (status !== 200) return false
  session = body
  details.as(session)
  byId('who').textContent = `${nameOf(session.subject)}, ${session.role}`
  byId('account').hidden = false
  view(session.role === 'brand' || (atCases && reviews(session)))
  if (reviews(session)) void atAddress()
  return false
}

/** What there is to review, and the case that the address names; opened last, so that nothing said of it is wiped. */
async function atAddress() {
  const caseId = caseInAddress()
  if (caseId !== undefined) view(true)
  await cases.look()
  if (caseId !== undefined) await cases.show(caseId)
}

function followed(name, detail) {
  if (name === 'live' && session === undefined) void isSignedOut()
  state(name, detail)
}

async function signIn() {
  const input = byId('key')
  const error = byId('key-error')
  error.textContent = ''
  try {
    const response = await fetch('/sign-in', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ key: input.value.trim() }),
    })
    input.value = ''
    if (response.ok) return void begin()
    const { detail } = await response.json()
    error.textContent = `Not signed in: ${detail}.`
  } catch {
    error.textContent = 'Not signed in: the service cannot be reached.'
  }
  input.focus()
}

byId('key-form').addEventListener('submit', (event) => {
  event.preventDefault()
  void signIn()
})

async function signOut() {
  try {
    await fetch('/sign-out', { method: 'POST' })
  } catch {
    // The service is away, so the session cannot be ended there: the cookie would still work.
    return state('lost', 'not signed out: the service cannot be reached')
  }
  // Whoever signs in next begins at the beginning.
  addressCase(undefined)
  session = undefined
  byId('key-error').textContent = ''
  state('signed-out')
  byId('key').focus()
}

byId('sign-out').addEventListener('click', () => void signOut())

byId('filters').addEventListener('click', (event) => {
  const button = event.target.closest('button')
  if (button === null) return
  for (const other of byId('filters').querySelectorAll('button'))
    other.setAttribute('aria-pressed', String(other === button))
  view(false)
  table.refilter({ outcome: button.dataset.filter })
})
byId('to-cases').addEventListener('click', () => {
  view(!atCases)
  if (atCases) cases.begin()
})
addEventListener('hashchange', () => caseInAddress() !== undefined && reviews(session) && void atAddress())
// What was said there has changed the queue.
byId('details').addEventListener('close', () => reviews(session) && void cases.look())
document.addEventListener('visibilitychange', () => !document.hidden && reviews(session) && void cases.look())
byId('search').addEventListener('input', (event) => table.refilter({ words: event.target.value.trim().toLowerCase() }))
byId('pause').addEventListener('click', () => setPaused(!paused))

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId('live').hidden) return
  const typing = event.target.closest('input, textarea, select') !== null
  if (typing && event.key === 'Escape') return event.target.blur()
  if (typing) return
  if (details.isOpen()) {
    // The dialog closes on Esc by itself.
    return
  }
  const keys = {
    j: () => (atCases ? cases : table).move(1),
    k: () => (atCases ? cases : table).move(-1),
    '/': () => !atCases && byId('search').focus(),
    p: () => !atCases && setPaused(!paused),
    c: () => atCases && cases.other(),
  }
  const act = keys[event.key]
  if (act === undefined) return
  event.preventDefault()
  act()
})

void begin()
