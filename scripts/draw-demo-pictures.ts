// Draws the pictures of the demo: invented goods, so that nobody's photographs are committed. Run it again after a change.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'

const FOLDER = join(import.meta.dirname, '../fixtures/demo/pictures')
const SIDE = 640

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A table or a wall, with stains: a plain ground would make all pictures alike. */
function ground(seed: number, light: string, dark: string): string {
  const next = numbers(seed)
  const stains = Array.from({ length: 26 }, () => {
    const [x, y, r] = [next() * SIDE, next() * SIDE, 25 + next() * 110]
    return `<ellipse cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" rx="${r.toFixed(1)}" ry="${(r * (0.4 + next() * 0.5)).toFixed(1)}" fill="${next() > 0.5 ? dark : light}" opacity="0.22"/>`
  })
  return `<defs><linearGradient id="g" x1="0" y1="0" x2="0.7" y2="1"><stop offset="0" stop-color="${light}"/><stop offset="1" stop-color="${dark}"/></linearGradient></defs><rect width="${SIDE}" height="${SIDE}" fill="url(#g)"/>${stains.join('')}`
}

const drawing = (body: string): Buffer =>
  Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${SIDE}" height="${SIDE}" viewBox="0 0 ${SIDE} ${SIDE}">${body}</svg>`,
  )

function quilt(left: number, top: number, right: number, bottom: number, step: number, colour: string): string {
  const lines: string[] = []
  for (let x = left - (bottom - top); x < right; x += step) {
    lines.push(`M${x} ${top} l${bottom - top} ${bottom - top}`, `M${x} ${bottom} l${bottom - top} ${top - bottom}`)
  }
  return `<clipPath id="q"><rect x="${left}" y="${top}" width="${right - left}" height="${bottom - top}" rx="26"/></clipPath><path clip-path="url(#q)" d="${lines.join(' ')}" stroke="${colour}" stroke-width="4" fill="none" opacity="0.75"/>`
}

const bag = drawing(`${ground(11, '#e9e2d4', '#b7a88c')}
  <path d="M190 300 C190 90 450 90 450 300" stroke="#8a6a1f" stroke-width="16" fill="none" stroke-dasharray="22 9"/>
  <rect x="120" y="280" width="400" height="270" rx="26" fill="#7b1e2b"/>${quilt(120, 280, 520, 550, 52, '#4b0f19')}
  <path d="M120 306 q0 -26 26 -26 h348 q26 0 26 26 v76 q-200 96 -400 0 z" fill="#8f2735"/>
  <rect x="292" y="392" width="56" height="62" rx="8" fill="#d9b64a"/><path d="M306 408 l14 32 l14 -32" stroke="#7a5c12" stroke-width="7" fill="none"/>
  <path d="M470 560 l66 44 l20 -36 z" fill="#efe9df"/><circle cx="520" cy="576" r="5" fill="#333"/>`)

const scarf = drawing(`${ground(23, '#dfe6ea', '#8fa3ad')}
  <path d="M90 150 C240 60 400 250 560 130 L540 520 C400 610 260 430 110 540 Z" fill="#1e5f74"/>
  ${Array.from({ length: 9 }, (_, i) => `<path d="M${100 + i * 3} ${195 + i * 38} C250 ${110 + i * 40} 400 ${300 + i * 26} ${552 - i * 2} ${175 + i * 38}" stroke="${i % 2 === 0 ? '#f2c14e' : '#f4f1de'}" stroke-width="${5 + (i % 3) * 4}" fill="none"/>`).join('')}
  ${Array.from({ length: 12 }, (_, i) => `<circle cx="${150 + (i % 4) * 115}" cy="${220 + Math.floor(i / 4) * 120 + (i % 2) * 26}" r="${12 + (i % 3) * 9}" fill="#e07a5f"/>`).join('')}`)

const watch = drawing(`${ground(37, '#2f2a26', '#0f0d0c')}
  <rect x="250" y="20" width="140" height="600" rx="30" fill="#5a3a22"/>
  ${Array.from({ length: 12 }, (_, i) => `<rect x="262" y="${34 + i * 50}" width="116" height="5" fill="#3a2413"/>`).join('')}
  <circle cx="320" cy="320" r="190" fill="#c9ccd1"/><circle cx="320" cy="320" r="158" fill="#123a5a"/>
  ${Array.from({ length: 12 }, (_, i) => `<rect x="312" y="176" width="16" height="${i % 3 === 0 ? 46 : 26}" fill="#f1efe6" transform="rotate(${i * 30} 320 320)"/>`).join('')}
  <path d="M320 320 L254 258" stroke="#f1efe6" stroke-width="14"/><path d="M320 320 L420 240" stroke="#f1efe6" stroke-width="9"/><circle cx="382" cy="382" r="34" fill="#e8e3d3"/>
  <rect x="508" y="300" width="26" height="40" rx="6" fill="#a9adb3"/>`)

async function save(name: string, picture: Sharp): Promise<void> {
  const { size } = await picture.toFile(join(FOLDER, name))
  console.log(`${name}: ${size} bytes`)
}

await mkdir(FOLDER, { recursive: true })
await save('red-bag.jpg', sharp(bag).jpeg({ quality: 82 }))
await save('silk-scarf.jpg', sharp(scarf).jpeg({ quality: 82 }))
await save('blue-watch.jpg', sharp(watch).jpeg({ quality: 82 }))
// What a seller does who was caught: brighter, half the size, another format.
await save(
  'red-bag-again.webp',
  sharp(bag)
    .resize(SIDE / 2)
    .modulate({ brightness: 1.12 })
    .webp({ quality: 70 }),
)
// The same kind of thing, honestly: another bag must not be taken for it.
const other = drawing(`${ground(51, '#cfd8c5', '#6f7f63')}
  <path d="M210 250 C230 120 410 120 430 250" stroke="#3b2a1a" stroke-width="22" fill="none"/>
  <path d="M150 240 h340 l44 320 h-428 z" fill="#c98f4f"/><path d="M150 240 h340 l8 58 h-356 z" fill="#a86f35"/>
  <rect x="228" y="356" width="184" height="132" rx="16" fill="#b67d40" stroke="#7a5024" stroke-width="6"/>
  ${Array.from({ length: 7 }, (_, i) => `<circle cx="${176 + i * 48}" cy="270" r="8" fill="#5a3b1b"/>`).join('')}`)
await save('tan-tote.jpg', sharp(other).jpeg({ quality: 82 }))
const shoe = (x: number, y: number, turn: number) => `<g transform="translate(${x} ${y}) rotate(${turn})">
  <path d="M-62 -210 C-110 -120 -84 40 -92 130 C-96 230 96 230 92 130 C84 40 104 -120 58 -210 C30 -250 -34 -250 -62 -210 Z" fill="#3d2317"/>
  <path d="M-52 30 C-60 -70 52 -70 50 30 C54 160 -56 160 -52 30 Z" fill="#d9b48a"/>
  <path d="M-86 -40 Q0 -108 88 -40 L84 6 Q0 -66 -82 6 Z" fill="#5c3522"/><path d="M-30 -66 h60 l-10 24 h-40 z" fill="#caa24a"/>
  ${Array.from({ length: 6 }, (_, i) => `<path d="M${-50 + i * 20} -196 q6 40 0 84" stroke="#20110a" stroke-width="4" fill="none"/>`).join('')}</g>`
const loafers = drawing(`${ground(67, '#e7dcd3', '#7d8f9c')}${shoe(210, 330, -9)}${shoe(430, 300, 14)}`)
await save('brown-loafers.jpg', sharp(loafers).jpeg({ quality: 82 }))
await save(
  'brown-loafers-again.jpg',
  sharp(loafers)
    .resize(SIDE / 2)
    .jpeg({ quality: 60 }),
)
await writeFile(
  join(FOLDER, 'README.md'),
  '# pictures\n\nThe pictures of the demo, drawn by `scripts/draw-demo-pictures.ts`: invented goods. `red-bag-again.webp` is `red-bag.jpg`, brighter, halved and in another format, `brown-loafers-again.jpg` is `brown-loafers.jpg`, halved.\n',
)
