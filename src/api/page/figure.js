// One picture by its name with us. An animation stands still until somebody wants to see it move.
import { el } from './dom.js'

/** @param {string | undefined} sha256 undefined: there is none, `otherwise` says why */
export function figure(sha256, caption, otherwise) {
  const frame = el('div', { class: 'frame' }, el('span', {}, otherwise))
  const made = el('figure', {}, frame, el('figcaption', {}, caption))
  if (/^[0-9a-f]{64}$/.test(sha256 ?? '')) void load(made, frame, `/v1/pictures/${sha256}`, caption)
  return made
}

async function load(made, frame, href, caption) {
  const say = (words) => frame.replaceChildren(el('span', {}, words))
  say('Loading…')
  try {
    const response = await fetch(href)
    if (!response.ok)
      return say(response.status === 404 ? 'Not kept any more, or not for you.' : 'Could not be loaded.')
    const bytes = await response.arrayBuffer()
    // It opens by itself in another tab.
    const link = el('a', { href, target: '_blank', rel: 'noopener', title: 'Open in a new tab' })
    // From the browser's cache, once the service has said again that it may be seen.
    const img = el('img', { alt: caption, src: href })
    if (isAnimation(bytes)) made.append(await playing(link, img, bytes, caption))
    else link.append(img)
    frame.replaceChildren(link)
  } catch {
    say('Could not be loaded.')
  }
}

/** Ours are WebP: a bit of the header says whether it moves. */
function isAnimation(bytes) {
  const head = new Uint8Array(bytes, 0, Math.min(bytes.byteLength, 21))
  return String.fromCharCode(...head.slice(12, 16)) === 'VP8X' && ((head[20] ?? 0) & 2) !== 0
}

/** Puts its first frame into the link, and makes the button that changes that for the moving picture and back. */
async function playing(link, img, bytes, caption) {
  const first = await createImageBitmap(new Blob([bytes], { type: 'image/webp' }))
  const still = el('canvas', { role: 'img', 'aria-label': caption })
  ;[still.width, still.height] = [first.width, first.height]
  still.getContext('2d').drawImage(first, 0, 0)
  const button = el('button', { type: 'button', class: 'small', 'aria-pressed': 'false' }, 'Play its frames')
  button.addEventListener('click', () => {
    const plays = button.getAttribute('aria-pressed') === 'true'
    button.setAttribute('aria-pressed', String(!plays))
    link.replaceChildren(plays ? still : img)
  })
  link.append(still)
  return button
}
