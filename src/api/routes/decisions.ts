// The feed: every decision and refusal in order, resumable at a cursor, waiting for the next one where asked.
import type { z } from 'zod'
import { listingDecided } from '../../events/index.ts'
import { TouchstoneError } from '../../errors.ts'
import type { FeedEntry } from '../../pipeline/ports.ts'
import { callerOf } from '../access.ts'
import { feedQuerySchema, feedSchema } from '../contract.ts'
import type { FeedPage } from '../feed-watch.ts'
import { goneSignal } from '../gone.ts'
import { PROBLEM_RESPONSES } from '../openapi.ts'
import type { Api, RouteServices } from '../services.ts'

type Feed = z.infer<typeof feedSchema>

export function decisionRoutes(api: Api, services: RouteServices): void {
  const { decisions, recent, waiting, watchFeed } = services
  api.route({
    method: 'GET',
    url: '/v1/decisions',
    config: { access: ['ingest', 'analyst', 'operator', 'admin'] },
    schema: {
      tags: ['decisions'],
      summary: 'Every decision and refusal in order, resumable',
      description:
        'Ask again with `after` set to `next`. `wait` holds the request open until there is an entry. Entries of one listing ' +
        'keep their order; an entry may be given twice after a failure, and `decisionId` tells. A key that is bound to a ' +
        'marketplace sees only its own.',
      querystring: feedQuerySchema,
      response: { 200: feedSchema, ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const { after, last, limit, wait } = request.query
      const { marketplace, role } = callerOf(request)
      if (after !== undefined && last !== undefined) {
        throw new TouchstoneError('invalid', 'querystring: `after` and `last` exclude each other')
      }
      let page: FeedPage | undefined
      await waiting.until(
        async () => {
          // An empty page may still lead on, past entries that this caller may not see: they are not looked at again.
          if (page !== undefined) page = await watchFeed(page.next, limit, marketplace)
          else if (last === undefined) page = await decisions.feed(after, limit, marketplace)
          else page = await recent.recent(last, marketplace)
          return page.entries.length > 0 ? page : undefined
        },
        wait * 1000,
        goneSignal(reply),
      )
      if (page === undefined) throw new Error('the waiting room looks at least once')
      const { entries, next } = page
      const items = role === 'analyst' || role === 'admin' ? await withSummaries(services, entries) : entries
      return reply.header('cache-control', 'no-store').send({ items, next } as Feed)
    },
  })
}

/** Adds title, brand and price of each decided listing: what a person needs to know which goods it is about. */
async function withSummaries({ summaries }: RouteServices, entries: readonly FeedEntry[]): Promise<Feed['items']> {
  const key = (listingId: string, revision: number) => JSON.stringify([listingId, revision])
  const wanted = new Map<string, { listingId: string; revision: number }>()
  for (const { type, data } of entries) {
    if (type !== listingDecided.type) continue
    const { listingId, revision } = data as { listingId: string; revision: number }
    wanted.set(key(listingId, revision), { listingId, revision })
  }
  const found = new Map((await summaries.summaries([...wanted.values()])).map((s) => [key(s.listingId, s.revision), s]))
  return entries.map((entry) => {
    const { listingId, revision } = entry.data as { listingId: string; revision: number }
    const summary = found.get(key(listingId, revision))
    if (summary === undefined) return entry as Feed['items'][number]
    const { title, brand, price } = summary
    return { ...entry, listing: { title, brand, price } } as Feed['items'][number]
  })
}
