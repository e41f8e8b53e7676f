// The plain page and its files, read once at the start: no build step, nothing from elsewhere.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Api } from '../services.ts'

const TYPES = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const

const FILES: readonly { readonly url: string; readonly file: string; readonly type: keyof typeof TYPES }[] = [
  { url: '/', file: 'index.html', type: 'html' },
  { url: '/sign-in', file: 'sign-in.html', type: 'html' },
  { url: '/page/page.css', file: 'page.css', type: 'css' },
  { url: '/page/decisions.css', file: 'decisions.css', type: 'css' },
  { url: '/page/details.css', file: 'details.css', type: 'css' },
  { url: '/page/review.css', file: 'review.css', type: 'css' },
  { url: '/page/page.js', file: 'page.js', type: 'js' },
  { url: '/page/feed.js', file: 'feed.js', type: 'js' },
  { url: '/page/table.js', file: 'table.js', type: 'js' },
  { url: '/page/details.js', file: 'details.js', type: 'js' },
  { url: '/page/listing-text.js', file: 'listing-text.js', type: 'js' },
  { url: '/page/pictures.js', file: 'pictures.js', type: 'js' },
  { url: '/page/figure.js', file: 'figure.js', type: 'js' },
  { url: '/page/kept.js', file: 'kept.js', type: 'js' },
  { url: '/page/origins.js', file: 'origins.js', type: 'js' },
  { url: '/page/cases.js', file: 'cases.js', type: 'js' },
  { url: '/page/case.js', file: 'case.js', type: 'js' },
  { url: '/page/word.js', file: 'word.js', type: 'js' },
  { url: '/page/left-out.js', file: 'left-out.js', type: 'js' },
  { url: '/page/address.js', file: 'address.js', type: 'js' },
  { url: '/page/ask.js', file: 'ask.js', type: 'js' },
  { url: '/page/dom.js', file: 'dom.js', type: 'js' },
  { url: '/page/sign-in.js', file: 'sign-in.js', type: 'js' },
  { url: '/favicon.svg', file: 'favicon.svg', type: 'svg' },
]

export function pageRoutes(api: Api): void {
  for (const { url, file, type } of FILES) {
    const body = readFileSync(new URL(`../page/${file}`, import.meta.url))
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
    api.route({
      method: 'GET',
      url,
      config: { access: 'open' },
      schema: { hide: true },
      handler: async (request, reply) => {
        // Asked every time: after an upgrade no browser may mix files of two versions.
        void reply.header('cache-control', 'no-cache').header('etag', etag)
        if (request.headers['if-none-match'] === etag) return reply.code(304).send()
        return reply.type(TYPES[type]).send(body)
      },
    })
  }
}
