// A person's word on a case on its way to the service: sent once, and what became of it in human words.
import { send, part } from './ask.js'
import { el, foreign } from './dom.js'
import { leftAfter, leftOutOf, namesWith } from './left-out.js'

const NOW = { allow: 'The listing is on sale now.', hold: 'The listing is held.', block: 'The listing is blocked now.' }
const SAID = { confirmed: 'Confirmed.', rejected: 'Rejected.', 'cannot-tell': 'Taken back.' }

/**
 * @param {{ caseId: string, decisionId: string, revision: number, own: boolean,
 *   ended: (said: { words: (Node | string)[], failed: boolean, again: boolean, leftOut?: Node[] }) => void }} about
 *   `decisionId`: the decision that is shown, so that nothing is said of what nobody has seen, and its `revision`; `own`: of a
 *   rights holder's session; `again`: look at the case anew; `leftOut`: what is to be seen of that by now, not said: as before
 */
export function createWord({ caseId, decisionId, revision, own, ended }) {
  let sending = false
  /** By content, until it is known what became of it: sent again under the same id it counts once. */
  const ids = new Map()

  /** `before`: what was left out and what had joined by the word that this one replaces to add a picture. */
  async function say(said, before) {
    if (sending) return
    sending = true
    const key = JSON.stringify(said)
    const verdictId = ids.get(key) ?? newId()
    ids.set(key, verdictId)
    const answer = await send(`/v1/cases/${part(caseId)}/verdict`, { ...said, verdictId, decisionId })
    sending = false
    if (answer.status > 0 && answer.status < 500) ids.delete(key)
    ended(answer.status === 200 ? recorded(said, answer.body, before) : refused(answer))
  }

  function recorded(said, { status, verdictIds, stands, earlier, pictures }, before) {
    const { verdict } = said
    const open = stands.state === 'open' && verdict !== 'cannot-tell'
    const left = leftAfter({ pictures, before })
    const did = before === undefined ? SAID[verdict] : 'Added: your word names it now.'
    const words = [
      status === 'known' ? 'It was recorded already. ' : `${did} `,
      stands.withdrawn ? 'Its listing stays withdrawn.' : (NOW[stands.outcome] ?? ''),
      ...joined(pictures, stands.revision),
      open ? ' The case stays open: it is about other brands too.' : '',
      stands.state === 'open' && verdict === 'cannot-tell' ? ' The case is open again.' : '',
    ]
    if (earlier.length > 0)
      words.push(` What was confirmed of an earlier revision still counts, and its pictures are still in the bank: `)
    for (const { verdictId, revision } of earlier)
      words.push(takeBack(verdictId, `Take back revision ${revision}`), ' ')
    if (left.length > 0) words.push(' Below is what was left out.')
    const add = (sha256) =>
      void say(
        { ...said, supersedes: verdictIds[0], pictures: namesWith(pictures.which, sha256) },
        { left, joined: pictures.which },
      )
    return { words, failed: false, again: true, leftOut: leftOutOf({ left, revision, own, add }) }
  }

  function takeBack(verdictId, label = 'Take back') {
    const button = el('button', { type: 'button', class: 'small' }, label)
    button.addEventListener('click', () => void say({ verdict: 'cannot-tell', supersedes: verdictId }))
    return button
  }

  /**
   * @param {{ brandIds: string[], own: boolean, pictures: { name: number | string, words: string }[], unseen?: string }} about
   *   `own`: the brands are the session's; it speaks for one of them; `pictures`: what the case keeps, as a verdict names them;
   *   `unseen`: that there are others, which nobody can look at
   */
  function form({ brandIds, own, pictures, unseen }) {
    const all = own ? [] : [el('option', { value: '' }, 'all brands of the case')]
    const brand = el(
      'select',
      { id: 'verdict-brand' },
      ...all,
      ...brandIds.map((one) => el('option', { value: one }, one)),
    )
    const ticks = pictures.map(({ name, words }) => ({
      name,
      words,
      tick: el('input', { type: 'checkbox', id: `verdict-picture-${name}`, value: String(name) }),
    }))
    const before = pictures.some(({ name }) => typeof name === 'string')
      ? ', what others have on sale, and what it showed up to when it was last on sale'
      : ' and what others have on sale'
    const which = el(
      'fieldset',
      {},
      el('legend', {}, `Pictures that show it (none ticked: all of these but official ones${before})`),
      ...ticks.map(({ name, words, tick }) => el('label', { for: `verdict-picture-${name}` }, tick, ` ${words}`)),
    )
    const reason = el('input', { id: 'verdict-reason', maxlength: '1000', autocomplete: 'off' })
    const button = (verdict, label) => {
      const told = unseen === undefined ? undefined : 'verdict-unseen'
      return el('button', { type: 'submit', value: verdict, class: `say ${verdict}`, 'aria-describedby': told }, label)
    }
    const made = el(
      'form',
      { class: 'word' },
      el('h4', {}, 'Your word'),
      ...(brandIds.length === 0 ? [] : [el('div', {}, el('label', { for: 'verdict-brand' }, 'Speaks for'), brand)]),
      ...(pictures.length > 1 ? [which] : []),
      el('div', {}, el('label', { for: 'verdict-reason' }, 'Reason (optional)'), reason),
      ...(unseen === undefined ? [] : [el('p', { id: 'verdict-unseen' }, unseen)]),
      el(
        'div',
        { class: 'says' },
        button('confirmed', 'Confirm: it infringes'),
        button('rejected', 'Reject: it does not'),
      ),
      el(
        'p',
        { class: 'hint' },
        'Confirmed, the listing is blocked and its pictures join the bank of counterfeits. Rejected, it goes on sale. Either can be taken back: the case is then in “Closed lately”.',
      ),
    )
    made.addEventListener('submit', (event) => {
      event.preventDefault()
      // Without a button it was Enter in the field, which says neither.
      const verdict = event.submitter?.value
      if (verdict === undefined) return
      const named = ticks.flatMap(({ name, tick }) => (tick.checked ? [name] : []))
      void say({
        verdict,
        ...(verdict === 'confirmed' && named.length > 0 ? { pictures: named } : {}),
        ...(brand.value === '' ? {} : { brandId: brand.value }),
        ...(reason.value.trim() === '' ? {} : { reason: reason.value.trim() }),
      })
    })
    reason.addEventListener('keydown', (event) => {
      // Enter would press the first button.
      if (event.key === 'Enter') event.preventDefault()
    })
    return made
  }

  return { form, takeBack }
}

const LEFT_OUT = {
  official: 'like a genuine or an allowed picture',
  elsewhere: 'shown on sale by other sellers too',
  notLookedUp: 'not looked up in time whether other sellers show it',
  unnamed: 'not named by the verdict',
  earlier: 'of earlier revisions that this does not speak of',
  blank: 'blank',
  repeated: 'the same as another',
  noLongerKept: 'no longer kept',
  neverKept: 'not kept',
}

/** Which bank the pictures joined, and why others did not. */
function joined(told, revision) {
  if (told === null || told === undefined) return []
  const { bankId, joined: count, which, limited, leftOut } = told
  const before = which.filter((one) => one.revision !== revision).length
  const rest = Object.entries(leftOut).filter(([, left]) => left > 0)
  const why = rest.map(([reason, left]) => `${left} ${LEFT_OUT[reason] ?? reason}`).join(', ')
  const went =
    count === 0 ? ' No picture joined the bank ' : ` ${count} ${count === 1 ? 'picture' : 'pictures'} joined the bank `
  const far = `, ${limited} of them only against listings that name the brand, until an analyst vouches: only an edit in between showed them, or others show them on sale, or that could not be looked up, or another brand rejects`
  const old =
    before === 0
      ? ''
      : `, ${before === count ? (count === 1 ? 'as' : 'all as') : `${before} of them as`} the listing showed before its edit`
  return [went, foreign(bankId), old, limited > 0 ? far : '', why === '' ? '.' : `; left out: ${why}.`]
}

const STANDS = { allow: 'on sale', hold: 'held', block: 'blocked' }

/** Nothing was recorded, but where the service did not answer: then nobody knows. */
function refused({ status, body }) {
  const lost = status === 0 || status >= 500
  if (lost)
    return {
      words: ['The service did not answer, so nobody knows whether that was recorded. Say it again: it counts once.'],
      failed: true,
      again: false,
    }
  return {
    words: [`Nothing was recorded: ${whyNot(status, body)}`],
    failed: true,
    again: status === 409,
    ...(status === 409 ? { leftOut: [] } : {}),
  }
}

function whyNot(status, { code, detail, stands }) {
  const now = stands === undefined ? '' : ` The listing is ${STANDS[stands.outcome] ?? 'undecided'}.`
  if (code === 'already-decided') return `somebody was faster; what they said is above.${now}`
  if (code === 'case-changed') return `the case changed while you looked (${detail}).${now}`
  if (status === 401) return 'your session has ended. Sign in again.'
  if (status === 404) return 'the case is not there for you any more.'
  return `${detail}.`
}

/** Not randomUUID, which browsers have on HTTPS and this very machine only. */
const newId = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
