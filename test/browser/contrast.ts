// Contrast of all visible text of a page by the formula of WCAG 2.2 (1.4.3), read from what the browser computed.
import type { Page } from 'playwright-core'

/** Runs in the page, so it is text: the test has no types of a browser. Large text is held to the same 4.5. */
const MEASURE = `(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = color
    canvas.fillRect(0, 0, 1, 1)
    return [...canvas.getImageData(0, 0, 1, 1).data]
  }
  const luminance = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map((c) => { const s = c / 255; return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4 })
    return 0.2126 * R + 0.7152 * G + 0.0722 * B
  }
  const ground = (element) => {
    for (let e = element; e !== null; e = e.parentElement) {
      const color = rgba(getComputedStyle(e).backgroundColor)
      if (color[3] === 255) return color
    }
    return rgba('Canvas')
  }
  const weak = []
  let measured = 0
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement
    if (walker.currentNode.textContent.trim() === '' || !element.checkVisibility() || element.closest('.visually-hidden, noscript') !== null) continue
    measured += 1
    const [a, b] = [luminance(rgba(getComputedStyle(element).color)), luminance(ground(element))]
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
    if (ratio < 4.5) weak.push(walker.currentNode.textContent.trim().slice(0, 40) + ' ' + ratio.toFixed(2))
  }
  return measured < 5 ? ['only ' + measured + ' texts were measured'] : weak
})()`

/** Texts below 4.5 to 1, each with its ratio. */
export async function weakContrasts(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(MEASURE)
}
