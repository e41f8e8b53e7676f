// Who waits for the feed: one question a round for all of them, and a page only where there is something new, read once for all alike.
import type { DecisionReader, FeedEntry } from '../pipeline/ports.ts'

export interface FeedPage {
  readonly entries: FeedEntry[]
  readonly next: string
}

/** The page after a cursor that led no further before. */
export type FeedWatch = (after: string, limit: number, marketplace: string | undefined) => Promise<FeedPage>

/**
 * `round` rises with every round of the waiting room; within one the answer to the first who asks serves all. Everyone
 * who found nothing stands at the same place, so one page does for all of a marketplace, and it holds until the feed's
 * mark is another: the mark is read before the page, so nothing that came between is missed.
 */
export function createFeedWatch(decisions: Pick<DecisionReader, 'feed' | 'feedMark'>, round: () => number): FeedWatch {
  let asked: { readonly round: number; readonly mark: Promise<string> } | undefined
  let known: { readonly mark: string; readonly pages: Map<string, Promise<FeedPage>> } | undefined

  return async (after, limit, marketplace) => {
    if (asked?.round !== round()) asked = { round: round(), mark: decisions.feedMark() }
    const mark = await asked.mark
    if (known?.mark !== mark) known = { mark, pages: new Map() }
    const { pages } = known
    const name = JSON.stringify([after, limit, marketplace])
    let page = pages.get(name)
    if (page === undefined) {
      page = decisions.feed(after, limit, marketplace)
      pages.set(name, page)
    }
    try {
      return await page
    } catch (error) {
      pages.delete(name)
      throw error
    }
  }
}
