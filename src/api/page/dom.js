// Elements and figures for the page. Text from listings only ever becomes a text node: it is written by strangers.

/**
 * An element with properties and children. Strings become text nodes.
 * @param {string} tag
 * @param {Record<string, string | boolean | undefined>} attributes
 * @param {...(Node | string)} children
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value)
  }
  element.append(...children)
  return element
}

/** A stranger's text, set apart so that its direction cannot turn the line around it. */
export function foreign(text, attributes = {}) {
  return el('bdi', attributes, visible(text))
}

/** Characters that draw nothing or steer direction are shown as a small box: they are how text hides. Line breaks and tabs stay. */
function visible(text) {
  return String(text).replace(/(?![\n\r\t])[\p{Cc}\p{Bidi_Control}\u200b\u2060-\u2064\ufeff]/gu, '\u25a1')
}

export const OUTCOMES = {
  allow: { word: 'Allowed', order: 0 },
  hold: { word: 'Held', order: 1 },
  block: { word: 'Blocked', order: 2 },
  refused: { word: 'Refused', order: 3 },
}

/** Outcome by colour, shape and word. */
export function badge(outcome) {
  return el(
    'span',
    { class: `badge ${outcome}` },
    el('i', { class: `shape ${outcome}`, 'aria-hidden': 'true' }),
    OUTCOMES[outcome].word,
  )
}

/**
 * One listing in a list. The whole row is a large target, unless somebody is selecting text in it.
 * @param {{ outcome: string, risk?: number, title: string, brand?: string, listingId: string, about?: (Node | string)[],
 *   reason: Node | string, price?: object, when: (Node | string)[] }} one
 * @param {(from: HTMLElement) => void} open
 */
export function listRow(one, open) {
  const { outcome, title, brand, listingId, about = [], reason, price, when } = one
  const button = el('button', { type: 'button', class: 'open' }, foreign(title, { dir: 'auto' }))
  button.addEventListener('click', () => open(button))
  const stated = (brand ?? '') === '' ? [] : [foreign(brand), ' · ']
  const element = el(
    'tr',
    { class: `row ${outcome}` },
    el('td', { class: 'c-outcome' }, badge(outcome)),
    el('td', { class: 'c-risk' }, one.risk === undefined ? '—' : risk(one.risk)),
    el('td', { class: 'c-listing' }, button, el('div', { class: 'about' }, ...stated, foreign(listingId), ...about)),
    el('td', { class: 'c-reason' }, reason),
    el('td', { class: 'c-price' }, price === undefined ? '' : money(price)),
    el('td', { class: 'c-time' }, ...when),
  )
  element.addEventListener('click', (event) => {
    if (event.target.closest('button') === null && String(getSelection()) === '') open(button)
  })
  return { element, button }
}

/** Whoever came with a key is called by its id alone. */
export const nameOf = (subject) => subject.replace(/^key:/, '')

/** Three figures at most, never 0 or 100; as on a terminal (apps/terminal.ts). */
export function risk(value) {
  const percent = value * 100
  if (percent < 0.1) return '<0.1 %'
  if (percent > 99.9) return '>99.9 %'
  return `${percent < 10 || percent > 99 ? percent.toFixed(1) : percent.toFixed(0)} %`
}

export function money(price) {
  if (price === undefined || price === null) return '—'
  try {
    return new Intl.NumberFormat(undefined, { style: 'currency', currency: price.currency }).format(price.amount)
  } catch {
    return `${price.amount} ${price.currency}`
  }
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium', hourCycle: 'h23' })
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' })

/** The time of day for today, else with the date; the whole instant as a tooltip. */
export function time(iso) {
  const at = new Date(iso)
  const today = at.toDateString() === new Date().toDateString()
  return el('time', { datetime: iso, title: day.format(at) }, (today ? clock : day).format(at))
}

const dayOnly = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })

/** The day; the whole instant as a tooltip. */
export function date(iso) {
  const at = new Date(iso)
  return el('time', { datetime: iso, title: day.format(at) }, dayOnly.format(at))
}

export const byId = (id) => document.getElementById(id)
